-- What a transaction changes about access, noted while it does so, for the judgement at its end
-- (app/acl/change_guard.py, ADR 0018). Notes are settings of the transaction: gone when it ends, undone with a
-- savepoint, and of no other transaction. They hold what stood before, so that nothing has to be read beforehand, and
-- nothing that others change is taken for the author's. They are for routes that forget to ask, not against hostile
-- SQL: what that may write, row-level security decides.

-- Adds words to a note.
create function clearance.note(what text, words text) returns void
language sql volatile set search_path = '' as $$
  select set_config('clearance.' || what,
    concat_ws(E'\n', nullif(current_setting('clearance.' || what, true), ''), words), true)
  where words is not null
$$;

-- Whoever changes who looks after what, or what a key may do, has changed access, though the epoch does not count it.
create function clearance.note_standing() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform set_config('clearance.changed', 'yes', true);
  return null;
end $$;
create trigger judged after insert or update or delete on curator
  for each statement execute function clearance.note_standing();
create trigger judged after insert or update or delete on steward
  for each statement execute function clearance.note_standing();
create trigger judged after insert or update or delete on api_key
  for each statement execute function clearance.note_standing();

-- The own rule that a collection or a folder had before; null if it was not there.
create function clearance.note_collection() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform clearance.note('places', jsonb_build_object(
    'collection', coalesce(new.id, old.id), 'path', null, 'before', old.own_rule)::text);
  return null;
end $$;
create trigger judged after insert or update of own_rule or delete on collection
  for each row execute function clearance.note_collection();

create function clearance.note_folder() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform clearance.note('places', jsonb_build_object(
    'collection', coalesce(new.collection_id, old.collection_id), 'path', coalesce(new.path, old.path),
    'before', old.own_rule)::text);
  return null;
end $$;
create trigger judged after insert or update or delete on folder
  for each row execute function clearance.note_folder();

-- Scopes that point to another rule: `scope rule-before`, a line each. Grouped, not joined (history.sql).
create function clearance.note_scopes() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform clearance.note('scopes', (
    select string_agg(c.id || ' ' || c.rule_before, E'\n') from (
      select p.id, max(p.rule_before) as rule_before
      from (
        select id, rule_id, null from before union all select id, null, rule_id from after
      ) as p (id, rule_before, rule_after)
      group by p.id having max(p.rule_before) <> max(p.rule_after)
    ) as c));
  return null;
end $$;
create trigger judged after update on scope
  referencing old table as before new table as after for each statement execute function clearance.note_scopes();

-- A scope that goes with its folder: what stood on it was moved before, and from which rule is known by this.
create function clearance.note_gone_scopes() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform clearance.note('scopes', (select string_agg(o.id || ' ' || o.rule_id, E'\n') from before o));
  return null;
end $$;
create trigger judged_gone after delete on scope
  referencing old table as before for each statement execute function clearance.note_gone_scopes();

-- Documents that came under another scope: `scope-before scope-after`, a line each. An upload that waits at a
-- document's path comes under the document's scope if it is older than the document's rule, and under its own once the
-- document is gone: so a rule given anew, and a deletion, move what waits. Whose upload it is knows what is in it.
create function clearance.note_documents() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform clearance.note('moved', (
    select string_agg(distinct c.before || ' ' || c.after, E'\n') from (
      select max(p.before) as before, max(p.after) as after
      from (
        select id, scope_id, null from before union all select id, null, scope_id from after
      ) as p (id, before, after)
      group by p.id having max(p.before) <> max(p.after)
    ) as c));
  perform clearance.note('moved', (
    with ruled as materialized (
      select any_value(p.collection_id) as collection_id, max(p.path) as path, max(p.scope_id) as scope_id,
        max(p.ruled_at) as ruled_at
      from (
        select id, ruled_at, null, null, null, null from before
        union all select id, null, ruled_at, scope_id, collection_id, path from after
      ) as p (id, ruled_before, ruled_at, scope_id, collection_id, path)
      group by p.id having max(p.ruled_at) > max(p.ruled_before)
    )
    select string_agg(distinct j.scope_id || ' ' || r.scope_id, E'\n')
    from ruled r join public.ingest_job j on j.collection_id = r.collection_id and j.path = r.path
    where j.state in ('queued', 'running') and j.created_at < r.ruled_at and j.scope_id <> r.scope_id
      and j.uploaded_by is distinct from clearance.caller()));
  return null;
end $$;
create trigger judged after update on document
  referencing old table as before new table as after for each statement execute function clearance.note_documents();

create function clearance.note_deleted() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform clearance.note('moved', (
    select string_agg(distinct o.scope_id || ' ' || j.scope_id, E'\n')
    from before o join public.ingest_job j on j.collection_id = o.collection_id and j.path = o.path
    where j.state in ('queued', 'running') and j.created_at < o.ruled_at and j.scope_id <> o.scope_id
      and j.uploaded_by is distinct from clearance.caller()));
  return null;
end $$;
create trigger judged_gone after delete on document
  referencing old table as before for each statement execute function clearance.note_deleted();

create function clearance.note_upload() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform clearance.note('moved', old.scope_id || ' ' || new.scope_id);
  return null;
end $$;
create trigger judged after update of scope_id on ingest_job for each row
  when (old.scope_id <> new.scope_id) execute function clearance.note_upload();
