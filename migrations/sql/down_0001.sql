-- Back to an empty database; the roles and the extension stay, they are made by app/db/bootstrap.py.

drop schema clearance cascade;
drop table ingest_job, posting, vector_row, chunk, original, document, scope, curator, collection, rule_grant, rule,
  api_key, membership, role_inside, role, app_user, policy_epoch, index_profile,
  audit_entry, audit_head, audit_leaf, person_key,
  procrastinate_periodic_defers, procrastinate_events, procrastinate_jobs, procrastinate_workers cascade;
do $$
declare f regprocedure;
begin
  for f in select oid::regprocedure from pg_proc
           where pronamespace = 'public'::regnamespace and proname like 'procrastinate\_%' loop
    execute format('drop function %s cascade', f);
  end loop;
end $$;
drop type procrastinate_job_to_defer_v1, procrastinate_job_status, procrastinate_job_event_type cascade;
revoke usage on schema public from clearance_identity, clearance_app, clearance_ingest, clearance_sequencer, clearance_backup;
