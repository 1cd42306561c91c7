-- One row in every table under the lock, for the start-up probe (app/db/rls_probe.py): the canary sees exactly these,
-- and nobody else sees them. Its clearance lies below the lowest label, so that it may not read what everyone may.
-- Names that begin with an underscore are refused everywhere else.

insert into app_user (id, name, display_name, clearance, active)
values ('00000000-0000-4000-8000-00000000ca9a', '_canary', 'Start-up probe', -1, true);
insert into collection (id, name, description, own_rule)
values ('00000000-0000-4000-8000-00000000ca9a', '_canary', 'Start-up probe',
        '{"grants": [], "inherits": false, "label": "public"}');
-- A digest that no rule has, so that nobody can come to share this one.
with r as (
  insert into rule (digest, label) values (sha256('canary'), -1) returning id
), g as (
  insert into rule_grant (rule_id, ordinal, effect, principal_kind, principal_id)
  select id, 0, 'allow', 'user', '00000000-0000-4000-8000-00000000ca9a' from r
), s as (
  insert into scope (collection_id, own_digest, own_rule, rule_id)
  select '00000000-0000-4000-8000-00000000ca9a', sha256('canary'), '{}', id from r returning id
), d as (
  insert into document (collection_id, scope_id, path, media_type, size, sha256, version)
  select '00000000-0000-4000-8000-00000000ca9a', id, 'canary', 'text/plain', 0, sha256(''), 1 from s
  returning id, scope_id
)
insert into original (document_id, scope_id, title, content) select id, scope_id, 'canary', '' from d;
insert into chunk (document_id, scope_id, ordinal, heading_path, text, tokens)
select id, scope_id, 0, '{}', 'canary', 1 from document where path = 'canary';
insert into vector_row (chunk_id, scope_id, terms, embedding) select id, scope_id, 2, '[0]' from chunk;
-- The term 'canary' in the title and the text of that passage, as app/indexing packs it.
insert into posting (term, document_id, scope_id, entries)
select 971034103909059936, document_id, scope_id, int8send(id << 25 | x'400802'::bigint) from chunk;
insert into ingest_job (collection_id, scope_id, path, uploaded_by, size, sha256, state)
select collection_id, scope_id, 'canary', '00000000-0000-4000-8000-00000000ca9a', 0, sha256(''), 'indexed'
  from document;

insert into conversation (id, user_id)
values ('00000000-0000-4000-8000-00000000ca9a', '00000000-0000-4000-8000-00000000ca9a');
insert into turn (id, conversation_id, user_id, question, mode, outcome, policy_epoch)
values ('00000000-0000-4000-8000-00000000ca9a', '00000000-0000-4000-8000-00000000ca9a',
        '00000000-0000-4000-8000-00000000ca9a', 'canary', 'quote', 'quoted', 0);
insert into turn_answer (turn_id, user_id, made_from, answer, shown, redactions)
values ('00000000-0000-4000-8000-00000000ca9a', '00000000-0000-4000-8000-00000000ca9a', 1, 'canary', '[]', '{}');
insert into turn_source (turn_id, document_id, scope_id, user_id)
select '00000000-0000-4000-8000-00000000ca9a', id, scope_id, '00000000-0000-4000-8000-00000000ca9a'
from document where collection_id = '00000000-0000-4000-8000-00000000ca9a';
