"""Language is told by small words, and not told where they do not tell."""

import pandas as pd
import pytest

from journeylab.base.language import SMALL_WORDS, language_of

# The first article of the Universal Declaration of Human Rights, and a complaint in plain words.
TEXTS = {
    "English": (
        "All human beings are born free and equal in dignity and rights.",
        "The board is slow again and nobody answers.",
    ),
    "German": (
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
        "Das Board ist schon wieder langsam und keiner antwortet.",
    ),
    "French": (
        "Tous les êtres humains naissent libres et égaux en dignité et en droits.",
        "Le tableau est encore trop lent et personne ne nous répond.",
    ),
    "Spanish": (
        "Todos los seres humanos nacen libres e iguales en dignidad y derechos.",
        "El tablero está lento y nadie nos contesta.",
    ),
    "Italian": (
        "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti.",
        "La bacheca è di nuovo lenta e nessuno ci risponde.",
    ),
    "Portuguese": (
        "Todos os seres humanos nascem livres e iguais em dignidade e em direitos.",
        "O quadro está lento outra vez e ninguém nos responde.",
    ),
    "Dutch": (
        "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren.",
        "Het bord is weer traag en niemand geeft ons antwoord.",
    ),
    "Swedish": (
        "Alla människor är födda fria och lika i värde och rättigheter.",
        "Tavlan är långsam igen och ingen svarar oss.",
    ),
    "Danish or Norwegian": (
        "Alle mennesker er født frie og lige i værdighed og rettigheder.",
        "Tavlen er langsom igen, og ingen svarer os på det.",
    ),
    "Polish": (
        "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw.",
        "Tablica jest bardzo wolna i nikt nam nie odpowiada.",
    ),
}


@pytest.mark.parametrize("language", TEXTS)
def test_running_text_is_told(language):
    assert [language_of(text) for text in TEXTS[language]] == [language, language]


def test_each_language_that_can_be_told_is_tried():
    assert set(TEXTS) == set(SMALL_WORDS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Все люди рождаются свободными", "Cyrillic script"),
        ("Όλοι οι άνθρωποι γεννιούνται", "Greek script"),
        ("すべての人間は、生まれながら", "Hiragana script"),
        ("the menu says Все люди рождаются свободными", "Cyrillic script"),
        ("Österreich übel", None),
    ],
)
def test_other_letters_tell_their_script(text, expected):
    assert language_of(text) == expected


@pytest.mark.parametrize("text", ["", "ok", "!!! 1 2 3", "slow", "the", "board frozen calendar lost", "👍👍"])
def test_too_little_tells_nothing(text):
    assert language_of(text) is None


def test_letters_cut_at_an_apostrophe_stay_one_word():
    assert language_of("I don’t know") == "English"


def test_real_complaints_in_english_are_hardly_ever_taken_for_another_language(shared):
    tweets = pd.read_parquet(shared / "data/airline_tweets/tweets.parquet", columns=["text"])["text"]
    plain = tweets.str.replace(r"https?://\S+|@\w+", " ", regex=True)
    told = plain.map(language_of)
    assert (told == "English").mean() > 0.88
    assert (told.notna() & (told != "English")).mean() < 0.002
