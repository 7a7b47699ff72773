"""Language: what do simulated customers say, about what, and in which mood?

Every sentence is an opening, a clause about a topic, and a closing; opening and closing carry the mood of the clause.
"""

from functools import cache

import numpy as np

MOODS = ("unhappy", "neutral", "happy")
UNHAPPY, NEUTRAL, HAPPY = range(len(MOODS))

_OPENINGS = (
    (
        "I am frustrated:",
        "We are close to giving up here:",
        "I am sorry to say this, but",
        "Once again I have to complain:",
        "This is really disappointing for us:",
        "I cannot explain this to my team any more:",
    ),
    (
        "A question from my side:",
        "I wanted to let you know:",
        "For our planning on Monday:",
        "We noticed something:",
        "For your information, from our side:",
        "I have been trying this out:",
    ),
    (
        "I am really happy:",
        "Thank you, I think this is great:",
        "We love this:",
        "I wanted to say how pleased we are:",
        "What a relief for us:",
        "My team is delighted:",
    ),
)
_CLOSINGS = (
    (
        "I expected much better.",
        "Please fix this, or we will have to leave.",
        "This has cost us days already.",
        "I am losing my patience.",
        "Nobody here trusts it any more.",
    ),
    (
        "Could you tell me more?",
        "No hurry on this one.",
        "I will look at it again next week.",
        "Please advise when you can.",
        "We are still making up our minds.",
    ),
    (
        "Keep up the excellent work!",
        "I recommend you to everyone I meet.",
        "It saves us hours every week.",
        "We would not want to go back.",
        "I feel in good hands with you.",
    ),
)
_CLAUSES = {
    "price": (
        (
            "the price per seat has become far too high for us",
            "I was charged for seats that nobody uses",
            "I cannot defend this invoice in our budget round",
            "the increase came without any warning and hurts us",
        ),
        (
            "I need a quote for ten more seats",
            "we would like to pay by the year instead of by the month",
            "I am comparing your plans for our budget",
            "our accounts team needs another copy of the invoice",
        ),
        (
            "the price is fair for what we get",
            "the yearly plan saved us a lot of money",
            "I could show my boss a clear return on the cost",
            "the discount for our size helped us greatly",
        ),
    ),
    "competitor": (
        (
            "another tool does the same in half the time",
            "we were shown a rival that beats you on every point that hurts us",
            "I keep hearing that others are better, and I start to agree",
            "my colleagues want to go back to the tool we had before",
        ),
        (
            "we are looking at two other tools as well",
            "I need to know how you differ from our present tool",
            "our consultants asked for a comparison",
            "we have a second trial running elsewhere",
        ),
        (
            "we compared five tools and yours was the best by far",
            "I moved us over from another tool and it was worth it",
            "nothing else that I have seen comes close",
            "the switch from our old tool was a success",
        ),
    ),
    "missing_feature": (
        (
            "the approval step that we need is still missing",
            "I cannot plan across teams, and that makes it useless for us",
            "without recurring plans I am doing everything by hand, which is awful",
            "the export we were promised does not exist",
        ),
        (
            "I am looking for a way to plan across two teams",
            "is there a setting for recurring plans that I have missed",
            "we would like to know whether approvals are coming",
            "I need our fields in the export",
        ),
        (
            "the new recurring plans are exactly what we wanted",
            "you built what I asked for, and it is wonderful",
            "the cross-team view makes my Monday easy",
            "I found every function that we hoped for",
        ),
    ),
    "no_sponsor": (
        (
            "nobody in our management stands behind this, and I am tired of pushing alone",
            "my boss left and the new one wants none of it",
            "I was told to stop the roll-out, which is a pity and a waste",
            "we have no one left here who decides, so everything is stuck",
        ),
        (
            "I need something to convince our management",
            "our new head of operations would like an introduction",
            "we still have to find out who decides on this",
            "could you join a call with my manager",
        ),
        (
            "our managing director now plans here herself, which is fantastic",
            "I got full support from the top for the roll-out",
            "our board was impressed by the demo",
            "my manager has become your biggest fan",
        ),
    ),
    "speed": (
        (
            "the board takes forever to load and it is driving us mad",
            "I lost my changes again when the page froze",
            "every Monday morning it is painfully slow",
            "the mobile app crashes whenever I open a plan",
        ),
        (
            "the board took a few seconds longer than usual today",
            "I would like to know which browser you suggest",
            "is there maintenance planned for the weekend",
            "we see a short delay when many of us plan at once",
        ),
        (
            "everything has become wonderfully fast",
            "I plan on the train now and it simply works",
            "the board loads at once, even with all our teams",
            "we have not had a single failure this quarter, excellent",
        ),
    ),
    "support": (
        (
            "I have waited days for an answer and nobody cares",
            "the reply I got had nothing to do with my problem",
            "I was sent from one person to the next without any help",
            "your answers come far too late for those of us who work in the evening",
        ),
        (
            "I am not sure whom to ask about our contract",
            "could someone call me about our open ticket",
            "we would like to know your hours of support",
            "I have added a colleague to our ticket",
        ),
        (
            "your support solved my problem within the hour, brilliant",
            "the friendly answer I got helped us at once",
            "I have rarely been helped so well",
            "our contact knows us and is always a pleasure to talk to",
        ),
    ),
    "setup": (
        (
            "the import broke our data and I had to repair it by hand, a terrible day",
            "the setup is so confusing that my colleagues refuse to try again",
            "I failed three times to connect our calendar",
            "the training left us with more problems than before",
        ),
        (
            "I am about to import our old plans",
            "we need to know the order of the setup steps",
            "could you send the training slides to my colleagues",
            "I would like to connect our calendar next",
        ),
        (
            "the import went perfectly, all our plans are there",
            "I had my team set up in an afternoon, superb",
            "the training was clear and fun for all of us",
            "our calendar connected without a hitch",
        ),
    ),
    "reporting": (
        (
            "the report shows wrong numbers and I looked like a fool in the meeting",
            "I still build our reports in spreadsheets, which is exactly what I hate",
            "the charts are useless for my management",
            "half of our data is missing from the summary, that is unacceptable",
        ),
        (
            "I would like the weekly report as a file",
            "we need the report per team, not per person",
            "could I change the order of the columns",
            "I have a question about how the totals are computed",
        ),
        (
            "the weekly report impressed our whole management",
            "I threw away my last spreadsheet, what a joy",
            "the charts tell my team all they need, beautiful",
            "our numbers are right at last and everyone is glad",
        ),
    ),
}
TOPICS = tuple(_CLAUSES)
_N_CLAUSES, _N_OPENINGS, _N_CLOSINGS = 4, 6, 5


@cache
def sentences() -> tuple[str, ...]:
    """All sentences: topics x moods x clauses x openings x closings, in that order."""
    return tuple(
        f"{opening} {clause}. {closing}"
        for moods in _CLAUSES.values()
        for mood, clauses in enumerate(moods)
        for clause in clauses
        for opening in _OPENINGS[mood]
        for closing in _CLOSINGS[mood]
    )


def draw_sentences(rng: np.random.Generator, topics: np.ndarray, moods: np.ndarray) -> np.ndarray:
    """Positions in `sentences()`: one on each topic, in each mood."""
    per_mood = _N_CLAUSES * _N_OPENINGS * _N_CLOSINGS
    return (topics * len(MOODS) + moods) * per_mood + rng.integers(per_mood, size=len(topics))
