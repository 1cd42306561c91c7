-- Undoes database_roles: bound identities, the worker's uploads, the log's writers, the queue.

drop function clearance.defer_upload(uuid), clearance.move_document(uuid), clearance.put_document(uuid, text, uuid),
  clearance.note_move(uuid, int, int), clearance.hold_place(uuid), clearance.hold_move(uuid);
do $$
declare s text;
begin
  for s in select oid::regprocedure from pg_proc
           where pronamespace = 'public'::regnamespace and proname like 'procrastinate\_%' loop
    execute format('grant execute on function %s to public', s);
    execute format('revoke execute on function %s from clearance_ingest', s);
  end loop;
  for s in select sequencename from pg_sequences where sequencename like 'procrastinate\_%' loop
    execute format('grant usage on sequence %I to clearance_app', s);
  end loop;
end $$;
grant select, insert on procrastinate_jobs to clearance_app;
grant insert on procrastinate_events to clearance_app;

drop trigger end_upload on ingest_job;
drop function clearance.end_upload();
drop index ingest_job_running_idx;
drop policy worker on vector_row;
do $$
declare t text;
begin
  foreach t in array array['document', 'original', 'chunk', 'posting'] loop
    execute format('drop policy worker on %I', t);
  end loop;
  foreach t in array array['document', 'original', 'chunk', 'vector_row', 'posting'] loop
    execute format('create policy worker on %I to clearance_ingest using (true) with check (true)', t);
  end loop;
end $$;
drop function clearance.worked_on();
revoke insert (document_id, scope_id, title, content) on original from clearance_ingest;
revoke insert (document_id, scope_id, ordinal, heading_path, page, text, tokens) on chunk from clearance_ingest;
revoke insert (chunk_id, scope_id, terms, embedding, code) on vector_row from clearance_ingest;
revoke insert (term, document_id, scope_id, entries) on posting from clearance_ingest;
revoke update (state, reason, document_id, stages, finished_at) on ingest_job from clearance_ingest;
grant insert, update on document to clearance_ingest;
grant insert, update, delete on original to clearance_ingest;
grant insert, delete on chunk to clearance_ingest;
grant insert on vector_row, posting to clearance_ingest;
grant update on ingest_job to clearance_ingest;
grant update on index_profile to clearance_ingest;
revoke insert (id, collection_id, scope_id, path, uploaded_by, content, size, sha256, reason, document_id, stages, finished_at)
  on ingest_job from clearance_app;
grant insert on ingest_job to clearance_app;

create or replace function clearance.fold_volumes() returns bigint
language plpgsql volatile security definer set search_path = '' as $$
declare
  gone bigint;
begin
  if not pg_try_advisory_xact_lock(hashtext('clearance.fold_volumes')) then return 0; end if;
  with many as (
    select scope_id from public.scope_volume group by scope_id having count(*) > 1
  ), taken as (
    delete from public.scope_volume v using many where v.scope_id = many.scope_id returning v.scope_id, v.chunks, v.terms
  ), put as (
    insert into public.scope_volume (scope_id, chunks, terms)
    select scope_id, sum(chunks), sum(terms) from taken group by scope_id
  )
  select count(*) into gone from taken;
  return gone;
end $$;
drop function clearance.place_leaves(uuid[]), clearance.take_audit_turn();
drop table clearance.turn;
do $$
declare t text;
begin
  foreach t in array array['audit_entry', 'audit_head'] loop
    execute format('create policy sequencer_add on public.%I for insert to clearance_sequencer with check (true)', t);
    execute format('grant insert on public.%I to clearance_sequencer', t);
  end loop;
end $$;
drop policy owner_all on person_key;
drop policy services_read on person_key;
drop policy callers_add on person_key;
alter table person_key no force row level security;
alter table person_key disable row level security;
drop policy callers_add on audit_leaf;
drop policy parts_add on audit_leaf;
create policy writers_add on audit_leaf for insert to clearance_audit with check (true);
alter table audit_leaf drop constraint audit_leaf_record_check;
alter table audit_leaf drop column writer;
drop function clearance.is_record(text, text, text), clearance.canonical(jsonb, int), clearance.is_whole(jsonb);
drop table clearance.audit_writer;

revoke update (expires_at, label) on api_key from clearance_app;
drop trigger ends_no_later on api_key;
drop trigger stays_revoked on api_key;
drop trigger stays_revoked on delegation;
drop function clearance.keep_key(), clearance.keep_revoked();

grant create on schema clearance to clearance_identity;
set local role clearance_identity;
create or replace function clearance.caller() returns uuid
language sql stable parallel safe security definer set search_path = '' as $$
  with given as (
    select current_setting('clearance.identity', true) as identity
  ), parsed as materialized (
    select split_part(identity, '|', 1) as user_id, split_part(identity, '|', 2) as expiry,
           split_part(identity, '|', 3) as mac
    from given
    where identity ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\|[0-9]{1,12}\|[0-9a-f]{64}$'
  )
  select u.id
  from parsed p
  cross join clearance.identity_key k
  join public.app_user u on u.id = p.user_id::uuid
  where p.mac = encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(p.user_id || '|' || p.expiry, 'UTF8'))), 'hex')
    and p.expiry::bigint > extract(epoch from clock_timestamp())
    and u.active
    and u.kind = 'person'
$$;
drop function clearance.signed_caller();
alter function clearance.scopes_mac(text) parallel safe;
alter function clearance.resolve_scopes() parallel safe;
alter function clearance.visible_scopes() parallel safe;
alter function clearance.caller_may(text) parallel safe;
alter function clearance.curated() parallel safe;
reset role;
revoke create on schema clearance from clearance_identity;
alter function clearance.stewarded() parallel safe;
alter function clearance.may_rule(uuid) parallel safe;
