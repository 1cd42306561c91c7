"""Rows for the lists beside documents, people and the log: conversations, feedback, uploads, plans, reviews, keys."""

from benchmarks.world import Db

CONVERSATIONS, FEEDBACK, UPLOADS, PLANS, REVIEWS, QUERIES, DELEGATIONS = 2_000, 20_000, 20_000, 1_000, 40, 300, 2_000
# Sixty turns in the first conversation of each employee, one in the others.
ROWS = f"""
insert into conversation (user_id, created_at, title)
  select u.id, now() - make_interval(mins => n), 'Conversation ' || n
  from app_user u, generate_series(1, {CONVERSATIONS}) n where u.name in ('employee-all', 'employee-few', 'curator');
insert into turn (id, conversation_id, user_id, question, mode, outcome, policy_epoch, at)
  select gen_random_uuid(), c.id, c.user_id, 'What is said of it?', 'quote', 'nothing', 1,
    c.created_at + make_interval(secs => n)
  from conversation c, generate_series(1, 60) n
  where c.title like 'Conversation %' and (n = 1 or c.title = 'Conversation 1');
with docs as (
  select d.id, d.scope_id, row_number() over (order by d.id) as n from document d order by d.id limit {FEEDBACK}
), said as (
  insert into answer_feedback (user_id, trail, block, helpful, reason)
    select md5('user' || n % 1000)::uuid, md5('trail' || n)::uuid, 0, n % 3 > 0, case when n % 3 = 0 then 'outdated' end
    from generate_series(1, {FEEDBACK}) n
    returning id, user_id
)
insert into answer_feedback_source (feedback_id, document_id, scope_id, user_id)
  select s.id, d.id, d.scope_id, s.user_id
  from (select id, user_id, row_number() over () as n from said) s join docs d using (n);
insert into ingest_job (collection_id, scope_id, path, uploaded_by, size, sha256, state, created_at, finished_at)
  select s.collection_id, s.id, 'uploads/file ' || n || '.md', (select id from app_user where name = 'curator'), 100,
    sha256(''), 'indexed', now() - make_interval(mins => n), now()
  from generate_series(1, {UPLOADS}) n, lateral (
    select id, collection_id from scope where collection_id = (select id from collection where name = 'collection-00')
    order by id limit 1) s;
insert into access_plan (author_id, made_at, steps, effects, digest, needs_second)
  select u.id, now() - make_interval(mins => n), '[]', '[]', sha256(n::text::bytea), false
  from app_user u, generate_series(1, {PLANS}) n where u.name in ('curator', 'administrator');
insert into saved_query (user_id, name, q)
  select u.id, 'query ' || n, 'kind:search' from app_user u, generate_series(1, {QUERIES}) n where u.name = 'auditor';
insert into app_user (name, display_name, kind, clearance, capabilities)
  values ('bot', 'A service', 'service', 0, '{{ask}}');
insert into delegation (prefix, hash, service_id, person_id, capabilities, expires_at)
  select 'cld' || n, sha256(('d' || n)::bytea), b.id, u.id, '{{ask}}', now() + interval '1 day'
  from app_user b, app_user u, generate_series(1, {DELEGATIONS}) n where b.name = 'bot' and u.name = 'employee-all';
"""


def put_lists(db: Db) -> None:
    with db.admin() as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(ROWS)
