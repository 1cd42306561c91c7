-- One row in every table under the lock, for the start-up probe: the canary sees exactly these, nobody else sees them.
-- Its clearance lies below the lowest label: what everyone may read, it may not.
-- Names that begin with an underscore are refused everywhere else.

insert into app_user (id, name, display_name, clearance, active)
values ('00000000-0000-4000-8000-00000000ca9a', '_canary', 'Start-up probe', -1, true);
insert into collection (id, name, description, own_rule)
values ('00000000-0000-4000-8000-00000000ca9a', '_canary', 'Start-up probe',
        '{"grants": [], "inherits": false, "label": "public"}');
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
insert into vector_row (chunk_id, scope_id, terms, embedding) select id, scope_id, 1, '[0]' from chunk;
insert into posting (chunk_id, scope_id, term, tf) select id, scope_id, 0, 1 from chunk;
insert into ingest_job (collection_id, scope_id, path, uploaded_by, size, sha256, state)
select collection_id, scope_id, 'canary', '00000000-0000-4000-8000-00000000ca9a', 0, sha256(''), 'indexed' from document;
