-- What the pseudonyms of an answer stand for, sealed, for a while. It is given to who may reveal and reads now one of the
-- passages in which the value stands, whatever the service asks.

create table pseudonym (
  id uuid default gen_random_uuid() not null,
  trail uuid not null,
  kind text not null,
  number integer not null,
  -- Whose answer it is: the value is sealed under their key.
  user_id uuid not null,
  sealed jsonb not null,
  created_at timestamptz default now() not null,
  expires_at timestamptz not null,
  constraint pseudonym_pkey primary key (id),
  constraint pseudonym_id_user_id_key unique (id, user_id),
  constraint pseudonym_trail_kind_number_key unique (trail, kind, number),
  -- Credentials are never unmasked.
  constraint pseudonym_kind_check check (char_length(kind) >= 1 and char_length(kind) <= 40 and kind <> 'credential'),
  constraint pseudonym_number_check check (number >= 1),
  constraint pseudonym_expires_at_check
    check (expires_at > created_at and expires_at <= created_at + interval '720 hours'),
  constraint pseudonym_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade
);
create index pseudonym_user_id_idx on pseudonym (user_id);
create index pseudonym_expires_at_idx on pseudonym (expires_at);

-- A passage in which the value stands; it follows the passage from scope to scope.
create table pseudonym_passage (
  pseudonym_id uuid not null,
  chunk_id bigint not null,
  scope_id integer not null,
  user_id uuid not null,
  constraint pseudonym_passage_pkey primary key (pseudonym_id, chunk_id),
  constraint pseudonym_passage_pseudonym_id_fkey foreign key (pseudonym_id, user_id) references pseudonym (id, user_id)
    on delete cascade,
  constraint pseudonym_passage_chunk_id_fkey foreign key (chunk_id, scope_id) references chunk (id, scope_id)
    on delete cascade on update cascade
);
create index pseudonym_passage_chunk_id_idx on pseudonym_passage (chunk_id);

-- An asker adds those of their own answers, of passages that they may read. The pair of ids in the foreign key above
-- keeps everybody else from adding a passage of theirs to it.
create policy askers_add on pseudonym for insert to clearance_app
  with check (user_id = (select clearance.caller()));
create policy askers_add on pseudonym_passage for insert to clearance_app
  with check (user_id = (select clearance.caller()) and scope_id = any ((select clearance.visible_scopes())::int[]));
create policy readers on pseudonym_passage for select to clearance_app
  using ((select clearance.caller_may('reveal')) and scope_id = any ((select clearance.visible_scopes())::int[]));
-- The inner query runs under the policy above.
create policy readers on pseudonym for select to clearance_app
  using ((select clearance.caller_may('reveal')) and expires_at > now()
     and exists (select from pseudonym_passage p where p.pseudonym_id = pseudonym.id));
grant select, insert (id, trail, kind, number, user_id, sealed, expires_at) on pseudonym to clearance_app;
grant select, insert on pseudonym_passage to clearance_app;

-- A value goes with the last passage in which it stands. Of two transactions that each delete one of the last two,
-- neither sees the other: the worker removes what they leave.
create function clearance.drop_pseudonyms() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  delete from public.pseudonym p
  where p.id in (select g.pseudonym_id from gone g)
    and not exists (select from public.pseudonym_passage l where l.pseudonym_id = p.id);
  return null;
end $$;
create trigger drop_pseudonyms after delete on pseudonym_passage referencing old table as gone
  for each statement execute function clearance.drop_pseudonyms();

-- The worker removes what is over, and reads none of it.
create function clearance.remove_old_pseudonyms() returns bigint
language sql security definer set search_path = '' as $$
  with gone as (
    delete from public.pseudonym p
    where p.expires_at <= now()
      or not exists (select from public.pseudonym_passage l where l.pseudonym_id = p.id)
    returning 1
  )
  select count(*) from gone
$$;
grant execute on function clearance.remove_old_pseudonyms() to clearance_ingest;
