-- Privileges and row-level security of every table. FORCE binds the owner too, so each table has an owner policy: without
-- it a back-fill would update no row and say nothing.

revoke all on schema public from public;
grant usage on schema public to clearance_identity, clearance_app, clearance_ingest, clearance_sequencer, clearance_backup;

do $$
declare t text;
begin
  foreach t in array array[
    'app_user', 'role', 'role_inside', 'membership', 'api_key', 'curator', 'collection', 'scope', 'rule', 'rule_grant',
    'document', 'original', 'chunk', 'vector_row', 'posting', 'ingest_job'
  ] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy owner_all on %I to clearance_owner using (true) with check (true)', t);
  end loop;
  -- Who is who and which rules exist: no document text, read by all services; written only by those who may.
  foreach t in array array[
    'app_user', 'role', 'role_inside', 'membership', 'api_key', 'curator', 'collection', 'scope', 'rule', 'rule_grant'
  ] loop
    execute format('create policy services_read on %I for select to clearance_app, clearance_ingest, clearance_identity using (true)', t);
    execute format('grant select on %I to clearance_app', t);
  end loop;
  foreach t in array array['app_user', 'role', 'role_inside', 'membership', 'curator'] loop
    execute format('create policy administrators_add on %I for insert to clearance_app with check ((select clearance.caller_may(''administer'')))', t);
    execute format('create policy administrators_change on %I for update to clearance_app using ((select clearance.caller_may(''administer'')))', t);
    execute format('create policy administrators_drop on %I for delete to clearance_app using ((select clearance.caller_may(''administer'')))', t);
    execute format('grant insert, update, delete on %I to clearance_app', t);
  end loop;
end $$;

grant select on app_user, role, role_inside, membership, collection, scope, rule, rule_grant to clearance_ingest;
grant select on policy_epoch to clearance_app, clearance_ingest;
grant select on index_profile to clearance_app, clearance_ingest;
grant insert, update on index_profile to clearance_ingest;

-- Keys: made by administrators; revoked by them or by their own user.
create policy administrators_add on api_key for insert to clearance_app with check ((select clearance.caller_may('administer')));
create policy owners_revoke on api_key for update to clearance_app
  using ((select clearance.caller_may('administer')) or user_id = (select clearance.caller()));
grant insert, update (revoked_at) on api_key to clearance_app;

-- Collections and scopes: administrators and the curators of the shelf.
create policy administrators_add on collection for insert to clearance_app with check ((select clearance.caller_may('administer')));
create policy curators_change on collection for update to clearance_app
  using ((select clearance.caller_may('administer')) or id = any ((select clearance.curated())::uuid[]));
create policy administrators_drop on collection for delete to clearance_app using ((select clearance.caller_may('administer')));
grant insert, delete, update (description, own_rule) on collection to clearance_app;
create policy curators_add on scope for insert to clearance_app
  with check ((select clearance.caller_may('administer')) or collection_id = any ((select clearance.curated())::uuid[]));
create policy curators_change on scope for update to clearance_app
  using ((select clearance.caller_may('administer')) or collection_id = any ((select clearance.curated())::uuid[]));
grant insert, update (rule_id) on scope to clearance_app;
create policy curators_intern on rule for insert to clearance_app
  with check ((select clearance.caller_may('administer')) or cardinality((select clearance.curated())) > 0);
-- Only while the rule is being made, by the transaction that makes it: a grant added to a rule that stands would open
-- every scope that points to it.
create policy curators_intern on rule_grant for insert to clearance_app
  with check (((select clearance.caller_may('administer')) or cardinality((select clearance.curated())) > 0)
      and exists (select 1 from rule r where r.id = rule_id and r.xmin = pg_current_xact_id()::xid));
grant insert on rule, rule_grant to clearance_app;

-- Text and what is derived from it: readers by scope, and nobody else. The inner SELECT makes the planner resolve the
-- scopes once and use them as an index condition.
create policy readers on document for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[])
      or collection_id = any ((select clearance.curated())::uuid[]));
create policy curators_move on document for update to clearance_app
  using (collection_id = any ((select clearance.curated())::uuid[]));
create policy curators_drop on document for delete to clearance_app
  using (collection_id = any ((select clearance.curated())::uuid[]));
grant select, delete, update (scope_id, ruled_at, updated_at) on document to clearance_app;
create policy readers on original for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[]));
create policy readers on chunk for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[]));
create policy readers on vector_row for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[]));
create policy readers on posting for select to clearance_app
  using (scope_id = any ((select clearance.visible_scopes())::int[]));
grant select on original, chunk, vector_row, posting to clearance_app;

-- Uploads on their way: their uploader sees how they fare, and never the bytes again.
create policy uploaders_read on ingest_job for select to clearance_app using (uploaded_by = (select clearance.caller()));
create policy curators_add on ingest_job for insert to clearance_app
  with check (uploaded_by = (select clearance.caller()) and collection_id = any ((select clearance.curated())::uuid[]));
grant insert on ingest_job to clearance_app;
grant select (id, collection_id, scope_id, path, uploaded_by, size, sha256, state, reason, document_id, stages, created_at, finished_at)
  on ingest_job to clearance_app;

-- The worker writes content under a scope that an upload names; it cannot change who may read a scope.
do $$
declare t text;
begin
  foreach t in array array['document', 'original', 'chunk', 'vector_row', 'posting', 'ingest_job'] loop
    execute format('create policy worker on %I to clearance_ingest using (true) with check (true)', t);
  end loop;
end $$;
grant select, insert, update on document to clearance_ingest;
grant select (document_id, scope_id), insert, update, delete on original to clearance_ingest;
grant select (id, document_id, scope_id, ordinal), insert, delete on chunk to clearance_ingest;
grant insert on vector_row, posting to clearance_ingest;
grant select, update on ingest_job to clearance_ingest;
