"""Language: in which language is a text written, as far as its small words tell?

Every language has words that carry no subject, such as “the”, “and”, “is”; in running text they are between a third
and a half of all words. A text is in the language of which it holds the most of them. That needs no model and gives no
surprises; it cannot tell short or wordless texts, and then says that it does not know.
"""

import re
import unicodedata
from collections import Counter

FEWEST_WORDS, FEWEST_SHARE = 2, 0.15
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_SMALL = {
    "English": "a about after again all also am an and any are as at be because been but by can could did do does "
    "for from get go got had has have he her his how i if in into is it its just me more my no not now of "
    "on only or our out over she so some still than that the their them then there they this to too up us "
    "very was we were what when where which who why will with would you your i'm i've it's don't can't "
    "didn't isn't doesn't won't we're you're that's",
    "German": "aber alle als am an auch auf aus bei bin bis da das dass dem den der des die doch du ein eine einem "
    "einen einer er es für haben hat hatte ich ihr ihre im in ist ja kann kein keine man mehr mein mich mir mit nach "
    "nicht noch nur oder ohne schon sehr sein seine sich sie sind so über um und uns unser vom von vor war was wenn "
    "werden wie wir wird wurde zu zum zur",
    "French": "à au aussi avec avez avoir avons c'est ça ce ces cette comme dans de des du elle en est et être eu fait "
    "il ils j'ai je l'on la le les leur lui ma mais me mes moi mon n'est ne nos notre nous on ont ou où par pas plus "
    "pour qu'il que qui sa sans se ses si son sont sur ta te tout tous très tu un une vos votre vous y",
    "Spanish": "a al algo aquí así como con cuando de del desde donde el ella en era eran es esta está están este esto "
    "fue ha había han hasta hay la las le les lo los más me mi mis muy nada ni no nos nosotros nuestra nuestro o para "
    "pero por porque que qué se ser si sí sin sobre son su sus también te tiene todo todos tu un una uno y ya yo",
    "Italian": "a abbiamo ai al alla anche c'è che chi ci come con cosa da dal dei del della delle di dove e è era "
    "essere fa gli ha hanno ho i il in io la le lo loro ma mi mia mio molto ne nel nella noi non nostro o ogni per "
    "perché più poi qualche quando quanto quella quello questa questo sei senza si sia siamo sono su sua sulla suo "
    "tutti tutto un una uno",
    "Portuguese": "a ao aos as até com como da das de dela dele do dos e é ela ele em era essa esse esta está este eu "
    "foi há isso isto já lhe mais mas me meu minha muito na não nas nem no nos nós nossa nosso num numa o os ou para "
    "pela pelo por porque quando que quem são se sem ser seu sua também tem temos ter tudo um uma você",
    "Dutch": "aan al alles als ben bij dan dat de der deze die dit doen door dus een en er ge geen had heb hebben "
    "heeft het hij hoe hun ik in is je kan maar me meer met mijn moet naar niet niets nog nu of om omdat onder ons ook "
    "op over te toch tot uit van veel voor want waren was wat we wel werd wij wordt worden zal ze zich zij zijn zo zou",
    "Swedish": "alla att av bara blev bli de dem den det dig din du där efter ej eller en er ett från för ha hade han "
    "har hon hur här i icke in inte jag kan med men mig min mot mycket ni nu när och om oss på sedan sig sin ska "
    "skulle som så till under upp ut vad var varit vi vid vill är över",
    "Danish or Norwegian": "af alle at av bare blev ble de dem den der det dig deg din du efter etter ej eller en er "
    "et for fra ha har havde hadde han hun hvad hva hvor ikke jeg kan man med meg men mig min mod nu nå når og om op "
    "oss os over på seg sig sin skal som så til ud ut var vi vil ville være",
    "Polish": "ale bardzo bez był była było być ci co czy dla gdy i ich ja jak jako je jest jestem jeszcze już "
    "ma mam mnie może na nam nas nasz nic nie niż o od ona one oni oraz po pod przez przy są się tak tam te "
    "tego ten to tu tylko tym w we wszystko z za ze żeby",
}
SMALL_WORDS = {language: frozenset(words.split()) for language, words in _SMALL.items()}
_LANGUAGES = {
    word: tuple(language for language, small in SMALL_WORDS.items() if word in small)
    for word in frozenset().union(*SMALL_WORDS.values())
}


def language_of(text: str) -> str | None:
    """The language of `text`, such as “English”; None where it cannot be told.

    Told are ten languages of Europe (the keys of `SMALL_WORDS`): a text is in the one of which it holds more small
    words than of any other, at least two, and at least 15% of its words. A text mostly in other letters than Latin
    ones is in their “Cyrillic script”, “Greek script” and so on.

    >>> language_of("Das war gut"), language_of("The board is slow"), language_of("ok")
    ('German', 'English', None)
    """
    if script := _other_script(text):
        return f"{script} script"
    words = _WORD.findall(text.lower().replace("’", "'"))
    found = Counter(language for word in words for language in _LANGUAGES.get(word, ()))
    (first, most), (_, next_most) = [*found.most_common(2), (None, 0), (None, 0)][:2]
    is_told = most >= FEWEST_WORDS and most > next_most and most >= FEWEST_SHARE * len(words)
    return first if is_told else None


def _other_script(text: str) -> str | None:
    """The script of most letters of `text`, where that is not the Latin one."""
    if text.isascii():
        return None
    letters = [letter for letter in text if letter.isalpha()]
    if not letters or 2 * sum(letter.isascii() for letter in letters) > len(letters):
        return None
    scripts = Counter(unicodedata.name(letter, "UNKNOWN").split()[0].title() for letter in letters)
    script, n = scripts.most_common(1)[0]
    return script if script != "Latin" and 2 * n > len(letters) else None
