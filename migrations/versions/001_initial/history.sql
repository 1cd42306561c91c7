-- What was so, from when until when, so that "could she see it on 3 March" has an answer (ADR 0010). Kept by triggers;
-- rules are immutable and stay, so a scope's past rule is known by its number. A moment is that of the statement: a
-- change holds from its commit, which comes at most one transaction later.

create table user_history (
  user_id uuid not null, clearance smallint not null, active boolean not null,
  valid_from timestamptz not null, valid_to timestamptz, id bigint generated always as identity,
  constraint user_history_pkey primary key (id)
);
create table membership_history (
  user_id uuid not null, role_id uuid not null, ends_at timestamptz,
  valid_from timestamptz not null, valid_to timestamptz, id bigint generated always as identity,
  constraint membership_history_pkey primary key (id)
);
create table nesting_history (
  role_id uuid not null, inside_id uuid not null,
  valid_from timestamptz not null, valid_to timestamptz, id bigint generated always as identity,
  constraint nesting_history_pkey primary key (id)
);
create table scope_history (
  scope_id integer not null, rule_id integer not null,
  valid_from timestamptz not null, valid_to timestamptz, id bigint generated always as identity,
  constraint scope_history_pkey primary key (id)
);
create table document_history (
  document uuid not null, collection_id uuid not null, scope_id integer not null,
  valid_from timestamptz not null, valid_to timestamptz, id bigint generated always as identity,
  constraint document_history_pkey primary key (id)
);
-- What people, services and roles were called, with their source in front: records have them by id alone, so that to
-- delete a person's rows is to erase their names (ADR 0041).
create table name_history (
  kind text not null, subject uuid not null, name text not null,
  valid_from timestamptz not null, valid_to timestamptz, id bigint generated always as identity,
  constraint name_history_pkey primary key (id),
  constraint name_history_kind_check check (kind in ('user', 'role'))
);
create index name_history_subject_idx on name_history (subject);
create index name_history_name_idx on name_history (name);
create index user_history_user_id_idx on user_history (user_id);
create index membership_history_user_id_role_id_idx on membership_history (user_id, role_id);
create index membership_history_role_id_idx on membership_history (role_id);
create index nesting_history_role_id_idx on nesting_history (role_id);
create index scope_history_scope_id_idx on scope_history (scope_id);
create index scope_history_rule_id_idx on scope_history (rule_id);
create index document_history_document_idx on document_history (document);

-- Row by row, where few rows change at once.
create function clearance.keep_user() returns trigger
language plpgsql security definer set search_path = '' as $$
declare moment timestamptz := clock_timestamp();
begin
  if tg_op <> 'INSERT' then
    update public.user_history set valid_to = greatest(moment, valid_from) where valid_to is null and user_id = old.id;
  end if;
  if tg_op <> 'DELETE' then
    insert into public.user_history (user_id, clearance, active, valid_from)
      values (new.id, new.clearance, new.active, moment);
  end if;
  return null;
end $$;
create trigger history after insert or delete on app_user for each row execute function clearance.keep_user();
create trigger history_of_changes after update of clearance, active on app_user for each row
  when ((old.clearance, old.active) is distinct from (new.clearance, new.active))
  execute function clearance.keep_user();

-- Of a user or a role, which the trigger's argument says. Whoever is gone was called so until then.
create function clearance.keep_name() returns trigger
language plpgsql security definer set search_path = '' as $$
declare moment timestamptz := clock_timestamp();
begin
  if tg_op <> 'INSERT' then
    update public.name_history set valid_to = greatest(moment, valid_from) where valid_to is null and subject = old.id;
  end if;
  if tg_op <> 'DELETE' then
    insert into public.name_history (kind, subject, name, valid_from)
      values (tg_argv[0], new.id, case new.source when 'local' then '' else new.source || ':' end || new.name, moment);
  end if;
  return null;
end $$;
create trigger history_of_names after insert or delete on app_user
  for each row execute function clearance.keep_name('user');
create trigger history_of_new_names after update of name, source on app_user for each row
  when ((old.name, old.source) is distinct from (new.name, new.source)) execute function clearance.keep_name('user');
create trigger history_of_names after insert or delete on role for each row execute function clearance.keep_name('role');
create trigger history_of_new_names after update of name, source on role for each row
  when ((old.name, old.source) is distinct from (new.name, new.source)) execute function clearance.keep_name('role');

-- One that ended by itself has ended then, whenever its row goes.
create function clearance.keep_membership() returns trigger
language plpgsql security definer set search_path = '' as $$
declare moment timestamptz := clock_timestamp();
begin
  if tg_op <> 'INSERT' then
    update public.membership_history set valid_to = greatest(least(moment, old.ends_at), valid_from)
      where valid_to is null and user_id = old.user_id and role_id = old.role_id;
  end if;
  if tg_op <> 'DELETE' then
    insert into public.membership_history (user_id, role_id, ends_at, valid_from)
      values (new.user_id, new.role_id, new.ends_at, moment);
  end if;
  return null;
end $$;
create trigger history after insert or delete on membership for each row execute function clearance.keep_membership();

-- Whoever confirms a membership moves its end: no new row, unless it had ended in between.
create function clearance.keep_membership_end() returns trigger
language plpgsql security definer set search_path = '' as $$
declare moment timestamptz := clock_timestamp();
begin
  if old.ends_at <= moment then
    update public.membership_history set valid_to = greatest(old.ends_at, valid_from)
      where valid_to is null and user_id = old.user_id and role_id = old.role_id;
    insert into public.membership_history (user_id, role_id, ends_at, valid_from)
      values (new.user_id, new.role_id, new.ends_at, moment);
  else
    update public.membership_history set ends_at = new.ends_at
      where valid_to is null and user_id = old.user_id and role_id = old.role_id;
  end if;
  return null;
end $$;
create trigger history_of_changes after update of ends_at on membership for each row
  when (old.ends_at is distinct from new.ends_at) execute function clearance.keep_membership_end();

create function clearance.keep_nesting() returns trigger
language plpgsql security definer set search_path = '' as $$
declare moment timestamptz := clock_timestamp();
begin
  if tg_op <> 'INSERT' then
    update public.nesting_history set valid_to = greatest(moment, valid_from)
      where valid_to is null and role_id = old.role_id and inside_id = old.inside_id;
  end if;
  if tg_op <> 'DELETE' then
    insert into public.nesting_history (role_id, inside_id, valid_from) values (new.role_id, new.inside_id, moment);
  end if;
  return null;
end $$;
create trigger history after insert or delete on role_inside for each row execute function clearance.keep_nesting();

create function clearance.keep_scope() returns trigger
language plpgsql security definer set search_path = '' as $$
declare moment timestamptz := clock_timestamp();
begin
  if tg_op <> 'INSERT' then
    update public.scope_history set valid_to = greatest(moment, valid_from)
      where valid_to is null and scope_id = old.id;
  end if;
  if tg_op <> 'DELETE' then
    insert into public.scope_history (scope_id, rule_id, valid_from) values (new.id, new.rule_id, moment);
  end if;
  return null;
end $$;
create trigger history after insert or delete on scope for each row execute function clearance.keep_scope();

create function clearance.keep_document() returns trigger
language plpgsql security definer set search_path = '' as $$
declare moment timestamptz := clock_timestamp();
begin
  if tg_op <> 'INSERT' then
    update public.document_history set valid_to = greatest(moment, valid_from)
      where valid_to is null and document = old.public_id;
  end if;
  if tg_op <> 'DELETE' then
    insert into public.document_history (document, collection_id, scope_id, valid_from)
      values (new.public_id, new.collection_id, new.scope_id, moment);
  end if;
  return null;
end $$;
create trigger history after insert or delete on document for each row execute function clearance.keep_document();

-- Once a statement, where thousands change at once: a re-grant moves scopes, a folder's first rule moves documents.
-- Here and wherever rows before and after are paired, they are grouped, not joined: the planner takes both for as few
-- rows as they had when the function was first called, and of few rows it compares each with each.
create function clearance.keep_scopes() returns trigger
language plpgsql security definer set search_path = '' as $$
declare moment timestamptz := clock_timestamp();
begin
  -- The numbers alone, not the own rules, which are long.
  with changed as materialized (
    select p.id, max(p.rule_after) as rule_id
    from (
      select id, rule_id, null from before union all select id, null, rule_id from after
    ) as p (id, rule_before, rule_after)
    group by p.id having max(p.rule_before) <> max(p.rule_after)
  ), ended as (
    update public.scope_history h set valid_to = greatest(moment, h.valid_from)
      from changed c where h.scope_id = c.id and h.valid_to is null
  )
  insert into public.scope_history (scope_id, rule_id, valid_from)
    select c.id, c.rule_id, moment from changed c order by c.id;
  return null;
end $$;
create trigger history_of_changes after update on scope
  referencing old table as before new table as after for each statement execute function clearance.keep_scopes();

create function clearance.keep_documents() returns trigger
language plpgsql security definer set search_path = '' as $$
declare moment timestamptz := clock_timestamp();
begin
  with changed as materialized (
    select p.public_id, any_value(p.collection_id) as collection_id, max(p.after) as scope_id
    from (
      select public_id, scope_id, null, null from before
      union all select public_id, null, scope_id, collection_id from after
    ) as p (public_id, before, after, collection_id)
    group by p.public_id having max(p.before) <> max(p.after)
  ), ended as (
    update public.document_history h set valid_to = greatest(moment, h.valid_from)
      from changed c where h.document = c.public_id and h.valid_to is null
  )
  insert into public.document_history (document, collection_id, scope_id, valid_from)
    select c.public_id, c.collection_id, c.scope_id, moment from changed c order by c.public_id;
  return null;
end $$;
create trigger history_of_changes after update on document
  referencing old table as before new table as after for each statement execute function clearance.keep_documents();

-- Who was who and which rules there were is read by the API as the present is; where a document stood, by its id, only by
-- who curates its collection and by auditors; what somebody was called once, by auditors. Nobody writes but the triggers.
do $$
declare t text;
begin
  foreach t in array array['user_history', 'membership_history', 'nesting_history', 'scope_history'] loop
    execute format('create policy services_read on %I for select to clearance_app using (true)', t);
  end loop;
end $$;
create policy auditors_read on name_history for select to clearance_app
  using ((select clearance.caller_may('audit')));
create policy curators_read on document_history for select to clearance_app
  using (collection_id = any ((select clearance.curated())::uuid[]));
create policy auditors_read on document_history for select to clearance_app
  using ((select clearance.caller_may('audit')));
grant select on user_history, membership_history, nesting_history, scope_history, document_history, name_history to clearance_app;
