-- procrastinate's own tables: an upload may add a job (its only argument is the upload's id), the worker does the rest.

grant select, insert on procrastinate_jobs to clearance_app;
grant insert on procrastinate_events to clearance_app;
grant select, insert, update, delete on procrastinate_jobs, procrastinate_events, procrastinate_workers,
  procrastinate_periodic_defers to clearance_ingest;
do $$
declare s text;
begin
  for s in select sequencename from pg_sequences where sequencename like 'procrastinate\_%' loop
    execute format('grant usage on sequence %I to clearance_app, clearance_ingest', s);
  end loop;
end $$;
