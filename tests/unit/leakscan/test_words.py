"""The scan's own word lists against masking's: what one leaves alone, the other does not call certain."""

from garim.leakscan.scan import LeakScan
from garim.masking import words_en, words_ko
from garim.masking.people import Person


def test_no_word_that_masking_leaves_alone_blocks_a_dossier() -> None:
    words = sorted(words_en.EVERYDAY_WORDS | words_ko.COMMON_WORDS)
    scan = LeakScan([Person(word, "", (word,)) for word in words])
    texts = [f"the {word} is {word}" for word in words if word.isascii()]
    korean = [word for word in words if not word.isascii()]
    texts += [
        f"{word}{after}" for word in korean for after in ("", "이", "가", "은", "는", "을", "를", "도 있다")
    ]
    certain = {texts[leak.index] for leak in scan.scan(texts) if leak.certain}
    assert certain == set()


def test_cores_and_parts_of_nicks_that_are_words_do_not_block() -> None:
    words = sorted(word for word in words_en.COMMON_WORDS if len(word) > 2)
    scan = LeakScan([Person(word, "", (f"|{word}|",)) for word in words])
    texts = [f"a {word} b" for word in words]
    assert [texts[leak.index] for leak in scan.scan(texts) if leak.certain] == []
