-- Erasing a person, or the text of a document that is gone, which takes two people, and legal holds, which keep what they
-- are of from being erased (ADR 0042).

-- Of a person or a document. One that was lifted stays, as what once was so.
create table legal_hold (
  id uuid default gen_random_uuid() not null,
  person uuid,
  document uuid,
  reason text not null,
  placed_by uuid not null,
  placed_at timestamptz default now() not null,
  lifted_by uuid,
  lifted_at timestamptz,
  constraint legal_hold_pkey primary key (id),
  constraint legal_hold_of_check check ((person is null) <> (document is null)),
  constraint legal_hold_reason_check check (char_length(reason) between 10 and 1000),
  constraint legal_hold_lifted_check check ((lifted_by is null) = (lifted_at is null))
);
create index legal_hold_person_idx on legal_hold (person) where lifted_at is null;
create index legal_hold_document_idx on legal_hold (document) where lifted_at is null;
create index legal_hold_placed_at_idx on legal_hold (placed_at, id);

-- Of a person, by id alone, which is what is left when they are erased; or of what kept answers hold of a document. The
-- reason goes with a person.
create table erasure (
  id uuid default gen_random_uuid() not null,
  person uuid,
  document uuid,
  requested_by uuid not null,
  requested_at timestamptz default now() not null,
  reason text,
  decided_by uuid,
  decided_at timestamptz,
  approved boolean,
  -- How many rows of what were erased.
  counts jsonb,
  constraint erasure_pkey primary key (id),
  constraint erasure_of_check check ((person is null) <> (document is null)),
  constraint erasure_reason_check check (char_length(reason) between 10 and 1000),
  constraint erasure_decided_check check ((decided_by is null) = (decided_at is null)
    and (decided_by is null) = (approved is null) and (approved is true) = (counts is not null)),
  constraint erasure_second_check check (decided_by is distinct from requested_by),
  constraint erasure_own_check check (person is distinct from requested_by
    and (decided_by is null or person is distinct from decided_by))
);
create unique index erasure_person_idx on erasure (person) where approved is not false;
create unique index erasure_document_idx on erasure (document) where approved is not false;
create index erasure_requested_at_idx on erasure (requested_at, id);

create policy desk_reads on legal_hold for select to clearance_app
  using ((select clearance.caller_may('audit')) or (select clearance.caller_may('hold'))
    or (select clearance.caller_may('erase')));
create policy callers_place on legal_hold for insert to clearance_app
  with check (placed_by = (select clearance.caller()) and (select clearance.caller_may('hold')));
create policy callers_lift on legal_hold for update to clearance_app
  using (lifted_at is null and (select clearance.caller_may('hold')))
  with check (lifted_by = (select clearance.caller()));
grant select, insert (person, document, reason, placed_by), update (lifted_by, lifted_at) on legal_hold to clearance_app;

create policy desk_reads on erasure for select to clearance_app
  using ((select clearance.caller_may('audit')) or (select clearance.caller_may('erase')));
create policy callers_request on erasure for insert to clearance_app
  with check (requested_by = (select clearance.caller()) and (select clearance.caller_may('erase')));
grant select, insert (person, document, reason, requested_by) on erasure to clearance_app;

-- Refused by whatever way it comes, the owner's too. The service passes on what is said under CLR01.
create function clearance.refuse_held() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (
    select from public.legal_hold h
    where h.lifted_at is null
      and case tg_argv[0]
        when 'document' then h.document = (to_jsonb(old) ->> tg_argv[1])::uuid
        else h.person = (to_jsonb(old) ->> tg_argv[1])::uuid
      end
  ) then
    raise exception 'It is under a legal hold: nothing of it may go until that is lifted.' using errcode = 'CLR01';
  end if;
  return case tg_op when 'DELETE' then old else new end;
end $$;
create trigger held before delete on document
  for each row execute function clearance.refuse_held('document', 'public_id');
create trigger held_version before update of version_id on document
  for each row when (old.version_id is distinct from new.version_id)
  execute function clearance.refuse_held('document', 'public_id');
create trigger held before delete on document_key
  for each row execute function clearance.refuse_held('document', 'document');
create trigger held before delete on person_key
  for each row execute function clearance.refuse_held('person', 'user_id');
create trigger held before delete on app_user
  for each row execute function clearance.refuse_held('person', 'id');
create trigger held before delete on conversation
  for each row execute function clearance.refuse_held('person', 'user_id');
create trigger held before delete on answer_feedback
  for each row execute function clearance.refuse_held('person', 'user_id');

-- The worker removes conversations in which nothing was asked for so long, but for those of a person under a hold.
create function clearance.remove_old_conversations(age interval) returns bigint
language sql security definer set search_path = '' as $$
  with gone as (
    delete from public.conversation c
    where greatest(c.created_at, (select max(t.at) from public.turn t where t.conversation_id = c.id)) < now() - age
      and not exists (select from public.legal_hold h where h.person = c.user_id and h.lifted_at is null)
    returning 1
  )
  select count(*) from gone
$$;
grant execute on function clearance.remove_old_conversations(interval) to clearance_ingest;

-- Whoever was erased gets no key again, by nobody.
create function clearance.refuse_key_of_erased() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  if exists (select from public.erasure e where e.person = new.user_id and e.approved) then
    raise insufficient_privilege using message = 'this person was erased';
  end if;
  return new;
end $$;
create trigger never_again before insert on person_key
  for each row execute function clearance.refuse_key_of_erased();

-- A person goes by what they are called, and is written of so by others.
create function clearance.keep_display_name() returns trigger
language plpgsql set search_path = '' as $$
begin
  if old.display_name <> '' and not old.display_name = any (old.former_display_names) then
    new.former_display_names := old.former_display_names || old.display_name;
  end if;
  return new;
end $$;
create trigger former_names before update of display_name on app_user for each row
  when (old.display_name is distinct from new.display_name) execute function clearance.keep_display_name();

-- Deletes what is a person's, and takes from what others wrote whatever has one of their names: as words, in any case of
-- letters. Their row stays, without what it said, so that ids mean whom they meant. Gives how many rows of what it was.
create function clearance.erase_person(erased uuid) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  names text[];
  counts jsonb := '{}';
  gone bigint;
  statement text;
  what text;
begin
  select array_agg(distinct '(^|\W)' || regexp_replace(n.name, '(\W)', '\\\1', 'g') || '(\W|$)') into names
  from (
    -- With its source in front, and without.
    select unnest(array[name, split_part(name, ':', 2)]) from public.name_history where subject = erased
    union all
    select unnest(array[name, display_name, external_id, former_external_id] || former_display_names)
    from public.app_user where id = erased
  ) as n (name)
  where char_length(n.name) > 2;

  for what, statement in select * from (values
    ('key', 'delete from public.person_key where user_id = $1'),
    ('conversations', 'delete from public.conversation where user_id = $1'),
    ('feedback', 'delete from public.answer_feedback where user_id = $1'),
    ('pseudonyms', 'delete from public.pseudonym where user_id = $1'),
    ('api_keys', 'delete from public.api_key where user_id = $1'),
    ('delegations', 'delete from public.delegation where person_id = $1'),
    ('sessions', 'delete from public.sign_in_session where user_id = $1'),
    ('identities', 'delete from public.sign_in_identity where user_id = $1'),
    ('links', 'delete from public.sign_in_link where user_id = $1'),
    ('passkeys', 'delete from public.passkey where user_id = $1'),
    ('attempts', 'delete from public.sign_in_attempt where details::text ~* any ($2)'),
    ('profile', 'delete from public.directory_profile where id = $1'),
    ('memberships', 'delete from public.membership where user_id = $1'),
    ('posts', 'with c as (delete from public.curator where user_id = $1 returning 1), '
      's as (delete from public.steward where user_id = $1 returning 1) select from c union all select from s'),
    ('saved_queries', 'delete from public.saved_query where user_id = $1 or q ~* any ($2)'),
    -- Whatever was exported may have words or names of theirs.
    ('exports', 'delete from public.log_export'),
    -- What they wrote of others in their office is the house's, and stays: why a hold is in force, say.
    ('reasons', 'update public.opening set reason = ''(erased with a person)'' '
      'where (asker = $1 or reason ~* any ($2)) and reason <> ''(erased with a person)'''),
    ('hold_reasons', 'update public.legal_hold set reason = ''(erased with a person)'' '
      'where (person = $1 or reason ~* any ($2)) and reason <> ''(erased with a person)'''),
    ('rule_reasons', 'update public.retention_rule set reason = ''(erased with a person)'' '
      'where reason ~* any ($2) and reason <> ''(erased with a person)'''),
    -- But for the one that is being decided, whose reason goes with the decision.
    ('erasures', 'update public.erasure set reason = null where reason is not null '
      'and (person = $1 and decided_by is not null or person is distinct from $1 and reason ~* any ($2))'),
    ('plans', 'update public.access_plan set effects = effects - ''why'' - ''warnings'' where effects::text ~* any ($2)'),
    ('leak_tests', 'delete from public.leak_test_run where report::text ~* any ($2)')
  ) as t (what, statement) loop
    execute statement using erased, names;
    get diagnostics gone = row_count;
    counts := counts || jsonb_build_object(what, gone);
  end loop;

  update public.app_user set name = 'erased-' || left(replace(erased::text, '-', ''), 12), display_name = '',
    external_id = null, former_external_id = null, capabilities = '{}', clearance = 0, active = false,
    deleted_at = coalesce(deleted_at, now())
  where id = erased;
  -- By itself: what they were called last was kept with the change.
  update public.app_user set former_display_names = '{}' where id = erased;
  delete from public.name_history where subject = erased and valid_to is not null;
  get diagnostics gone = row_count;
  return counts || jsonb_build_object('names', gone);
end $$;

-- Destroys the key under which kept answers hold text of this document, which must be gone: else it would be made again.
create function clearance.erase_document(erased uuid) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  gone bigint;
begin
  if exists (select from public.document d where d.public_id = erased) then
    raise exception 'This document still stands: delete it first.' using errcode = 'CLR01';
  end if;
  delete from public.document_key where document = erased;
  get diagnostics gone = row_count;
  return jsonb_build_object('key', gone);
end $$;

-- Decided by somebody else than who asked, once. Approved, it is done with it; gives what went, or null.
create function clearance.decide_erasure(erasure uuid, approve boolean) returns jsonb
language plpgsql volatile security definer set search_path = '' as $$
declare
  asked public.erasure;
  gone jsonb;
begin
  select * into asked from public.erasure e where e.id = decide_erasure.erasure and e.decided_by is null for update;
  if not found then
    raise exception 'It was decided already.' using errcode = 'CLR01';
  end if;
  if not clearance.caller_may('erase') or clearance.caller() = asked.requested_by
     or clearance.caller() is not distinct from asked.person then
    raise insufficient_privilege using message = 'this erasure is not the caller''s to decide';
  end if;
  if approve then
    -- Whoever places one now waits, and finds the person gone.
    lock table public.legal_hold in share mode;
    if exists (
      select from public.legal_hold h
      where h.lifted_at is null and (h.person = asked.person or h.document = asked.document)
    ) then
      raise exception 'It is under a legal hold: nothing of it may go until that is lifted.' using errcode = 'CLR01';
    end if;
    if exists (select from public.app_user u where u.id = asked.person and u.active) then
      raise exception 'This person can still sign in: switch them off first.' using errcode = 'CLR01';
    end if;
    gone := case when asked.person is null then clearance.erase_document(asked.document)
      else clearance.erase_person(asked.person) end;
  end if;
  update public.erasure e set decided_by = clearance.caller(), decided_at = now(), approved = approve, counts = gone,
    reason = case when approve and e.person is not null then null else e.reason end
  where e.id = asked.id;
  return gone;
end $$;
grant execute on function clearance.decide_erasure(uuid, boolean) to clearance_app;
