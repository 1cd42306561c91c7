"""Row-level security on conversations, tried with raw SQL as the API's database role: every table, every verb."""

import itertools
import threading
import uuid
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.acl.rules import OwnRule
from app.answer.conversation_store import keep
from app.answer.turns import NewTurn
from app.db.rls_probe import CONVERSATIONS
from app.db.session import Database
from app.identity.subject import FOR_PEOPLE, Label
from ingest.write import move_to_scope
from tests.support.library_db import LibraryDb, allow, check_refused, counts, touched
from tests.support.waiting import wait_for

NOTHING = dict.fromkeys(CONVERSATIONS, 0)
WHOLE = {"conversation": 1, "turn": 1, "turn_answer": 1, "turn_source": 2}
LOST = WHOLE | {"turn_answer": 0, "turn_source": 1}
VALUES = {
    "conversation": "insert into conversation (id, user_id) values (:id, :who)",
    "turn": "insert into turn (id, conversation_id, user_id, question, mode, outcome, policy_epoch)"
    " values (:id, :id, :who, 'q', 'quote', 'quoted', 1)",
    "turn_answer": "insert into turn_answer (turn_id, user_id, made_from, answer, shown, redactions)"
    " values (:id, :who, 2, 'the alder and the ash', '[]', '{}')",
    "turn_source": "insert into turn_source (turn_id, document_id, scope_id, user_id)"
    " select :id, id, scope_id, :who from document where path = any (:paths)",
}


@dataclass(frozen=True)
class Talk:
    """Ada's conversation of one turn, made from one document on each of two collections; Ben reads the second, and a
    third, and may do everything else there is.
    """

    library: LibraryDb
    ada: uuid.UUID
    ben: uuid.UUID
    botany: uuid.UUID
    alder: int
    ash: int
    id: uuid.UUID


@pytest.fixture
def talk(library: LibraryDb, database: Database) -> Talk:
    role = library.role("botany")
    ada = library.person("ada", roles=[role])
    mine = library.collection("mine", allow("user", ada))
    ben = library.person("ben", clearance=Label.RESTRICTED, may=sorted(FOR_PEOPLE), curates=[mine])
    ours = library.collection("ours", allow("role", role), allow("user", ben))
    alder, ash = library.document(mine, "alder.md", "the alder"), library.document(ours, "ash.md", "the ash")
    library.document(library.collection("his", allow("user", ben)), "birch.md", "the birch")
    made = Talk(library, ada, ben, role, alder, ash, uuid.uuid4())
    with database.writing(ada) as session:
        for table in VALUES:
            add(session, table, made)
    return made


def add(session: object, table: str, talk: Talk, *, who: uuid.UUID | None = None, paths: tuple[str, ...] = ()) -> int:
    """Add the row of this table that the fixture adds, or the same for somebody else or from other documents."""
    values: dict[str, object] = {"id": talk.id, "who": who or talk.ada}
    if table == "turn_source":
        values["paths"] = list(paths or ("alder.md", "ash.md"))
    return touched(session, VALUES[table], **values)  # type: ignore[arg-type]  # a session of either kind


def seen(database: Database, who: uuid.UUID) -> dict[str, int]:
    with database.reading(who) as session:
        return counts(session, CONVERSATIONS)


def test_its_asker_alone_sees_it(talk: Talk, database: Database) -> None:
    """Not who may read all that it was made from but for one, curates, administers and audits."""
    assert seen(database, talk.ada) == WHOLE
    assert seen(database, talk.ben) == NOTHING


LOSSES = {
    "everything": "update app_user set active = false where id = :ada",
    "membership": "delete from membership where user_id = :ada",
    "a grant that ends": "update rule_grant set ends_at = now() where principal_id = :botany",
    "the label": "update rule set label = 3 where id = (select rule_id from scope where id ="
    " (select scope_id from document where id = :ash))",
    "clearance": "update app_user set clearance = -1 where id = :ada",
    "the document moves": "update document set (scope_id, collection_id) ="
    " (select scope_id, collection_id from document where path = 'birch.md') where id = :ash",
    "the document goes": "delete from document where id = :ash",
}


@pytest.mark.parametrize("what", LOSSES)
def test_one_lost_source_withholds_the_answer(talk: Talk, database: Database, what: str) -> None:
    """The whole answer, though the other document is still visible; the question stays."""
    statement = LOSSES[what]
    values = {k: v for k, v in vars(talk).items() if f":{k}" in statement}
    assert talk.library.run("owner", statement, **values) >= 1
    other = {"everything": NOTHING, "clearance": LOST | {"turn_source": 0}}
    assert seen(database, talk.ada) == other.get(what, LOST)
    assert seen(database, talk.ben) == NOTHING


READERS = "drop policy readers on {0}; create policy readers on {0} for select to clearance_app using ({1})"


def test_without_the_count_of_sources_an_answer_shows(talk: Talk, database: Database) -> None:
    """The mutant: the answer is its asker's, whatever was lost."""
    talk.library.run("owner", READERS.format("turn_answer", "user_id = (select clearance.caller())"))
    talk.library.run("owner", LOSSES["membership"], ada=talk.ada)
    assert seen(database, talk.ada) == LOST | {"turn_answer": 1}


@pytest.mark.parametrize("table", ["conversation", "turn"])
def test_without_the_person_others_see_it(talk: Talk, database: Database, table: str) -> None:
    """The mutant: whoever is signed in."""
    talk.library.run("owner", READERS.format(table, "clearance.caller() is not null"))
    assert seen(database, talk.ben)[table] == 2, "hers and the canary's"


@pytest.mark.parametrize("table", VALUES)
def test_nobody_adds_for_another(talk: Talk, database: Database, table: str) -> None:
    """Neither in his name nor into her conversation in one's own: row-level security, or the key that pairs the ids."""
    fresh = Talk(**{**vars(talk), "id": uuid.uuid4()})
    with pytest.raises(DBAPIError, match="row-level security"), database.writing(talk.ben) as session:
        add(session, table, fresh, who=talk.ada, paths=("ash.md",))
    unnamed = VALUES[table].replace("select :id, id, scope_id, :who from document where path = any (:paths)",
                                    "values (:id, 1, 1, :who)")  # fmt: skip
    with pytest.raises(DBAPIError, match="row-level security"), database.anonymous() as session:
        touched(session, unnamed, id=fresh.id, who=talk.ada)
    if table in {"turn", "turn_answer", "turn_source"}:
        talk.library.run("owner", "delete from turn_answer")
        own = VALUES[table].replace("values (:id, :id,", "values (gen_random_uuid(), :id,")
        given = {"id": talk.id, "who": talk.ben} | ({"paths": ["ash.md"]} if ":paths" in own else {})
        talk.library.run("owner", "delete from turn_source")
        check_refused(database, talk.ben, "foreign key", own, **given)


def test_no_source_is_added_that_is_not_visible(talk: Talk, database: Database) -> None:
    """Nor one that its asker may curate and not read, nor under a scope that is not the document's."""
    add_source = "insert into turn_source (turn_id, document_id, scope_id, user_id) values (:t, :d, :s, :u)"
    birch = talk.library.value("owner", "select id from document where path = 'birch.md'")
    hidden = talk.library.value("owner", "select scope_id from document where id = :d", d=birch)
    own = talk.library.value("owner", "select scope_id from document where id = :d", d=talk.alder)
    check_refused(database, talk.ada, "row-level security", add_source, t=talk.id, d=birch, s=hidden, u=talk.ada)
    check_refused(database, talk.ada, "foreign key", add_source, t=talk.id, d=birch, s=own, u=talk.ada)


REFUSED = {
    **{f"change {table}": f"update {table} set user_id = user_id" for table in VALUES},
    "change when it began": "update conversation set created_at = now(), title = 'x'",
    "change what was said": "update turn_answer set answer = 'x'",
    "count fewer sources": "update turn_answer set made_from = 1",
    "move a source": "update turn_source set scope_id = scope_id",
    "drop a source": "delete from turn_source",
    "drop an answer": "delete from turn_answer",
    "drop a turn": "delete from turn",
    **{f"empty {table}": f"truncate {table} cascade" for table in VALUES},
}


def test_nobody_changes_what_was_said(talk: Talk, database: Database) -> None:
    for statement in REFUSED.values():
        check_refused(database, talk.ada, "permission denied", statement)


def test_its_asker_alone_names_it(talk: Talk, database: Database) -> None:
    """And changes nothing else of it: another column is refused above."""
    rename = "update conversation set title = 'mine'"
    with database.writing(talk.ben) as session:
        assert touched(session, rename) == 0
    with database.writing(talk.ada) as session:
        assert touched(session, rename) == 1
    with pytest.raises(DBAPIError, match="conversation_title_check"), database.writing(talk.ada) as session:
        touched(session, "update conversation set title = repeat('x', 201)")


def test_its_asker_alone_deletes_it(talk: Talk, database: Database) -> None:
    """With all its turns, also while what they were made from is lost."""
    with database.writing(talk.ben) as session:
        assert touched(session, "delete from conversation") == 0
    talk.library.run("owner", "delete from membership where user_id = :ada", ada=talk.ada)
    with database.writing(talk.ada) as session:
        assert touched(session, "delete from conversation") == 1
    assert {t: talk.library.value("owner", f"select count(*) from {t}") for t in CONVERSATIONS} == dict.fromkeys(
        CONVERSATIONS, 1
    ), "the canary's"


def test_it_goes_with_its_asker(talk: Talk) -> None:
    talk.library.run("owner", "delete from app_user where id = :ada", ada=talk.ada)
    assert talk.library.value("owner", "select count(*) from turn_answer") == 1, "the canary's"


@pytest.mark.parametrize("role", ["ingest", "sequencer", "delivery"])
def test_other_services_get_nothing(talk: Talk, role: str) -> None:
    patterns = ("select 1 from {0}", "delete from {0}", "update {0} set user_id = user_id",
                "insert into {0} select * from {0}")  # fmt: skip
    for pattern, table in itertools.product(patterns, CONVERSATIONS):
        talk.library.check_refused("permission denied", role, pattern.format(table))


def test_the_worker_moves_and_deletes_documents_all_the_same(talk: Talk, database: Database) -> None:
    """Through the foreign keys, without a right to what they lead to. The worker moves what an upload moves."""
    collection = uuid.UUID(talk.library.text("select collection_id from document where id = :d", d=talk.alder))
    path = talk.library.text("select path from document where id = :d", d=talk.alder)
    other = talk.library.scope(collection, OwnRule(frozenset({allow("user", talk.ada)})))
    talk.library.run("owner", "update document set sha256 = sha256('same') where id = :d", d=talk.alder)
    with talk.library.uploading(collection, {path: (other, b"same")}) as (session, [job]):
        move_to_scope(session, job)
    assert talk.library.value("owner", "select scope_id from document where id = :d", d=talk.alder) == other
    assert seen(database, talk.ada) == WHOLE
    with database.writing(talk.ben) as session:
        assert touched(session, "delete from document where id = :d", d=talk.alder) == 1
    assert seen(database, talk.ada) == LOST


def test_scopes_are_resolved_a_fixed_number_of_times(talk: Talk, database: Database) -> None:
    """Not once for each answer that is looked at: the plan keeps them outside of the count."""
    add_turn = VALUES["turn"].replace("values (:id, :id,", "values (:turn, :id,")
    with database.writing(talk.ada) as session:
        for _ in range(20):
            turn = uuid.uuid4()
            touched(session, add_turn, turn=turn, id=talk.id, who=talk.ada)
            touched(session, VALUES["turn_answer"], id=turn, who=talk.ada)
            touched(session, VALUES["turn_source"], id=turn, who=talk.ada, paths=["alder.md", "ash.md"])
    with database.reading(talk.ada) as session:
        explain = text("explain (analyze, costs off, timing off, buffers off) select answer from turn_answer")
        lines = [line.strip() for line in session.scalars(explain)]
    resolved = [after for line, after in itertools.pairwise(lines) if line.startswith("InitPlan")]
    assert len(resolved) == 3, lines
    assert all("loops=1)" in line for line in resolved), lines
    assert any("loops=21)" in line for line in lines), lines


# --- Keeping a turn while the world moves.


def new_turn(talk: Talk) -> NewTurn:
    """The next turn, made from both documents."""
    made_from = text("select public_id from document where id in (:a, :b)")
    with talk.library.session("owner") as session:
        documents = frozenset(session.scalars(made_from, {"a": talk.alder, "b": talk.ash}))
    return NewTurn(uuid.uuid4(), talk.id, "q", "quote", "quoted", 1, "the alder and the ash", (), {}, documents)


def test_a_document_that_moves_meanwhile_is_found_where_it_is(talk: Talk, database: Database) -> None:
    """The move is not committed when the turn is written; its foreign key waits for it, and the second try finds it."""
    turn, subject = new_turn(talk), talk.library.subject(talk.ada)
    kept: list[bool] = []

    def keep_it() -> None:
        with database.writing(talk.ada) as session:
            kept.append(keep(session, subject, turn))

    thread = threading.Thread(target=keep_it)
    with talk.library.session("owner") as session:
        moved = (
            "update document set (scope_id, collection_id) = (select scope_id, collection_id from document"
            " where id = :alder) where id = :ash"
        )
        assert touched(session, moved, alder=talk.alder, ash=talk.ash) == 1
        thread.start()
        blocked = (
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        )
        assert wait_for(lambda: talk.library.value("admin", blocked)) == 1
    thread.join(10)
    assert kept == [True]
    with database.reading(talk.ada) as reading:
        assert touched(reading, "select 1 from turn_answer where turn_id = :t", t=turn.id) == 1


def test_a_turn_that_cannot_be_kept_leaves_the_transaction_usable(talk: Talk, database: Database) -> None:
    turn, subject = new_turn(talk), talk.library.subject(talk.ada)
    talk.library.run("owner", "update app_user set active = false where id = :ada", ada=talk.ada)
    with database.writing(talk.ada) as session:
        assert not keep(session, subject, turn)
        assert session.scalar(text("select 1")) == 1
    assert talk.library.value("owner", "select count(*) from turn where id = :t", t=turn.id) == 0
