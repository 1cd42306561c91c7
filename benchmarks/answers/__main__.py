"""How good are the answers that a language model writes? Over the real service, through all that answers go through.

    python -m benchmarks.answers --data FOLDER [--endpoint URL --model NAME [--key-env VARIABLE]] [--limit N]

The datasets are those of `clearance eval`: handbooks, and questions with labels of whether anything answers them.
Without an endpoint the bundled small model answers (slowly), with --scripted a model that copies sentences out of the
passages: what it says is true, one citation in four is wrong and one in four is missing. THE TEXT OF THE DATASET GOES
TO THE ENDPOINT.

Prints how answers ended, what was refused, whether their sentences stand in the passages, whether citations are right,
and the time to the first word and to the last. Each answer is a line in --out, at once: the same command goes on where
one ended.
"""

import argparse
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from app.cli.evaluate import claim
from app.cli.evaluated_systems import LoadedDataset, load_dataset, with_progress
from app.client.api import ApiError, Client
from app.evaluation.answer_questions import AskedQuestion, answer_questions
from app.evaluation.layouts import read
from app.local.environment import MODEL_KEY, MODEL_NAME, MODEL_URL
from app.local.scratch_instance import ScratchInstance, scratch_instance
from benchmarks.answers.generated import GeneratedAnswer, PassageTexts, ask_streamed, read_answers, write_answer
from benchmarks.answers.report import show_report
from benchmarks.answers.scripted_endpoint import scripted_endpoint

GROUPS = ("right role", "ANSWERABLE", "PARTIAL", "UNANSWERABLE", "UNDERSPECIFIED", "a wrong role")


def main() -> None:
    given = _arguments()
    with ExitStack() as stack:
        environ = {**os.environ, **_model_settings(given)}
        if given.scripted:
            environ |= {MODEL_URL: stack.enter_context(scripted_endpoint()), MODEL_NAME: "scripted"}
        for folder in given.data:
            dataset = read(folder, split=given.split)
            home = given.keep / dataset.name if given.keep else Path(stack.enter_context(tempfile.TemporaryDirectory()))
            claim(home, dataset)
            given.out.mkdir(parents=True, exist_ok=True)
            file = given.out / f"{dataset.name}.answers.jsonl"
            asked = choose_questions(answer_questions(dataset), given.limit)
            with scratch_instance(home, environ, model=True) as service, tempfile.TemporaryDirectory() as scratch:
                _ask_all(load_dataset(service, dataset, Path(scratch)), asked, file)
            show_report(dataset.name, [a for a in read_answers(file) if a.id in {q.question.id for q in asked}])
            print(file)


def choose_questions(asked: list[AskedQuestion], limit: int) -> list[AskedQuestion]:
    """At most `limit` of each group, so that a short run has all of them: the same ones each time."""
    drawn = sorted(asked, key=lambda each: hashlib.sha256(each.question.id.encode()).digest())
    return [each for name in GROUPS for each in [a for a in drawn if a.group == name][:limit]]


def _ask_all(site: LoadedDataset, asked: list[AskedQuestion], file: Path) -> None:
    done = {a.id for a in read_answers(file)}
    texts = PassageTexts(site.service)
    waiting = [each for each in asked if each.question.id not in done]
    for each in with_progress(waiting, f"asking ({len(done)} are there)"):
        with _client(site.service, site.keys[each.question.role]) as client:
            try:
                write_answer(ask_streamed(client, site, texts, each), file)
            except ApiError as error:
                write_answer(GeneratedAnswer.failed(each, error), file)


@contextmanager
def _client(service: ScratchInstance, key: str) -> Iterator[Client]:
    with Client(service.api_url, key) as client:
        yield client


def _model_settings(given: argparse.Namespace) -> dict[str, str]:
    """The settings by which the service reaches the endpoint, with text that is not public: it is a dataset's."""
    prompt = {"CLEARANCE_MODEL__PROMPT": given.prompt} if given.prompt else {}
    if given.endpoint is None:
        return prompt
    return prompt | {
        MODEL_URL: given.endpoint,
        MODEL_NAME: given.model,
        MODEL_KEY: os.environ[given.key_env] if given.key_env else "none",
        "CLEARANCE_MODEL__INTERNAL": "true",
        "CLEARANCE_MODEL__ALLOW_RESTRICTED_TEXT_ON_PUBLIC_HOST": "true",
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, action="append", required=True, help="a dataset; may be given again")
    parser.add_argument("--split", help="as of clearance eval")
    parser.add_argument("--endpoint", help="base URL of an OpenAI-compatible endpoint, with its /v1")
    parser.add_argument("--model", help="the model's name there")
    parser.add_argument("--key-env", help="environment variable with the key; no key is taken from the command line")
    parser.add_argument("--scripted", action="store_true", help="a model that copies sentences")
    parser.add_argument("--prompt", choices=("large", "small"), help="else large, and small for the bundled model")
    parser.add_argument("--limit", type=int, default=10_000, help="questions of each group")
    parser.add_argument("--keep", type=Path, help="folder that keeps the services' state, to embed once")
    parser.add_argument("--out", type=Path, default=Path("answers"), help="folder for the answers")
    given = parser.parse_args()
    if (given.endpoint is None) != (given.model is None) or (given.endpoint and given.scripted):
        parser.error("give --endpoint with --model, or --scripted, or neither")
    if given.key_env and given.key_env not in os.environ:
        parser.error(f"--key-env: {given.key_env} is not set")
    return given


if __name__ == "__main__":
    main()
