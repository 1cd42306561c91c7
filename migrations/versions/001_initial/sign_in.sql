-- How people sign in: whom a provider's subject stands for, sessions, one-time links, passkeys, and sign-ins on their
-- way. Of every secret only the SHA-256 is kept.

-- A person as a provider knows them: never by an e-mail, which the next person may get. `groups` are those of the last
-- claim, until when they hold; null: the claim did not say, which is never "none" and never "all".
create table sign_in_identity (
  issuer text not null,
  subject text not null,
  user_id uuid not null,
  groups text[],
  groups_until timestamptz,
  created_at timestamptz default now() not null,
  constraint sign_in_identity_pkey primary key (issuer, subject),
  constraint sign_in_identity_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade,
  constraint sign_in_identity_subject_check check (subject <> '' and octet_length(subject) <= 255),
  constraint sign_in_identity_issuer_check check (issuer <> '' and octet_length(issuer) <= 500)
);
create index sign_in_identity_user_id_idx on sign_in_identity (user_id);

create table sign_in_session (
  id uuid default gen_random_uuid() not null,
  prefix text not null,
  hash bytea not null,
  user_id uuid not null,
  means text not null,
  -- The source of the provider that vouched, its own name of the session, and the token that ends it there.
  source text,
  provider_session text,
  id_token text,
  address text,
  agent text default '' not null,
  created_at timestamptz default now() not null,
  idle_seconds int not null,
  idle_until timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  ended_by text,
  constraint sign_in_session_pkey primary key (id),
  constraint sign_in_session_prefix_key unique (prefix),
  constraint sign_in_session_hash_key unique (hash),
  constraint sign_in_session_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade,
  constraint sign_in_session_means_check check (means in ('provider', 'link', 'passkey', 'sample')),
  constraint sign_in_session_idle_check check (idle_seconds > 0 and idle_until <= expires_at),
  constraint sign_in_session_ended_check check ((ended_at is null) = (ended_by is null))
);
create index sign_in_session_user_id_idx on sign_in_session (user_id);
-- The list of everybody's sessions, the newest first: of tens of thousands a page is read.
create index sign_in_session_created_at_id_idx on sign_in_session (created_at, id) where ended_at is null;
create index sign_in_session_provider_session_idx on sign_in_session (source, provider_session)
  where ended_at is null;

-- Good once. `loopback`: only from the machine itself.
create table sign_in_link (
  id uuid default gen_random_uuid() not null,
  prefix text not null,
  hash bytea not null,
  user_id uuid not null,
  created_by uuid not null,
  loopback boolean default false not null,
  created_at timestamptz default now() not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz,
  constraint sign_in_link_pkey primary key (id),
  constraint sign_in_link_prefix_key unique (prefix),
  constraint sign_in_link_hash_key unique (hash),
  constraint sign_in_link_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade
);
create index sign_in_link_user_id_idx on sign_in_link (user_id);

create table passkey (
  id uuid default gen_random_uuid() not null,
  user_id uuid not null,
  credential_id bytea not null,
  public_key bytea not null,
  sign_count bigint default 0 not null,
  label text default '' not null,
  created_at timestamptz default now() not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  constraint passkey_pkey primary key (id),
  constraint passkey_credential_id_key unique (credential_id),
  constraint passkey_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade
);
create index passkey_user_id_idx on passkey (user_id);

-- A sign-in on its way: found by the hash of its state, and good once, for the browser that began it.
create table sign_in_attempt (
  state bytea not null,
  browser bytea not null,
  kind text not null,
  details jsonb not null,
  expires_at timestamptz not null,
  constraint sign_in_attempt_pkey primary key (state),
  constraint sign_in_attempt_kind_check check (kind in ('provider', 'passkey', 'passkey.new'))
);
create index sign_in_attempt_expires_at_idx on sign_in_attempt (expires_at);

-- Logout tokens that were taken: each is good once.
create table used_logout_token (
  issuer text not null,
  jti text not null,
  expires_at timestamptz not null,
  constraint used_logout_token_pkey primary key (issuer, jti)
);

-- What a directory said of a person or group that we keep no column for: given back to it as it was.
-- `name_key`: the userName or displayName as directories compare it; of people it is unique within their source.
create table directory_profile (
  id uuid not null,
  source text default clearance.provisioned() not null,
  kind text default 'user' not null,
  name_key text,
  attributes jsonb not null,
  version bigint default 1 not null,
  created_at timestamptz default now() not null,
  changed_at timestamptz default now() not null,
  constraint directory_profile_pkey primary key (id),
  constraint directory_profile_kind_check check (kind in ('user', 'group')),
  constraint directory_profile_size_check check (octet_length(attributes::text) <= 65536)
);
create index directory_profile_source_name_key_idx on directory_profile (source, kind, name_key);
create unique index directory_profile_user_name_idx on directory_profile (source, name_key) where kind = 'user';

-- What a directory that is fetched said last, and until when that holds.
create table directory_state (
  source text not null,
  kind text not null,
  cursor text,
  synced_at timestamptz,
  fresh_until timestamptz,
  last_error text,
  error_at timestamptz,
  people int default 0 not null,
  groups int default 0 not null,
  constraint directory_state_pkey primary key (source)
);

-- A session that is in use goes on, up to its absolute end. By everybody who holds its secret, so by nobody signed in.
create function clearance.keep_session_alive(session uuid) returns void
language sql volatile security definer set search_path = '' as $$
  update public.sign_in_session s
  set idle_until = least(now() + make_interval(secs => s.idle_seconds), s.expires_at)
  where s.id = keep_session_alive.session and s.ended_at is null and s.idle_until > now() and s.expires_at > now()
$$;
grant execute on function clearance.keep_session_alive(uuid) to clearance_app;

-- Whoever is signed out everywhere: a provider's tokens from before are dead too. By the person or an administrator.
create function clearance.end_provider_tokens(person uuid) returns void
language plpgsql volatile security definer set search_path = '' as $$
begin
  if person is distinct from clearance.caller() and not clearance.caller_may('administer') then
    raise insufficient_privilege using message = 'one ends one''s own tokens; those of others are for administrators';
  end if;
  update public.app_user set tokens_after = clock_timestamp() where id = end_provider_tokens.person;
end $$;
grant execute on function clearance.end_provider_tokens(uuid) to clearance_app;

-- What has ended stays ended, what was used stays used.
create trigger stays_revoked before update on sign_in_session for each row
  when (old.ended_at is not null and (new.ended_at is distinct from old.ended_at
    or new.idle_until > old.idle_until or new.ended_by is distinct from old.ended_by))
  execute function clearance.keep_revoked();
create trigger stays_revoked before update on sign_in_link for each row
  when (old.used_at is not null and new.used_at is distinct from old.used_at
    or old.revoked_at is not null and (new.revoked_at is distinct from old.revoked_at or new.used_at is not null))
  execute function clearance.keep_revoked();
create function clearance.keep_passkey_revoked() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'what is revoked stays revoked: passkey %', old.id using errcode = 'integrity_constraint_violation';
end $$;
create trigger stays_revoked before update on passkey for each row
  when (old.revoked_at is not null and new.revoked_at is distinct from old.revoked_at)
  execute function clearance.keep_passkey_revoked();
alter table sign_in_session enable always trigger stays_revoked;
alter table sign_in_link enable always trigger stays_revoked;
alter table passkey enable always trigger stays_revoked;

-- Nothing to come in with is made for somebody who is switched off, also at the same moment: whoever switches them off
-- waits for this lock, and then ends what was made.
create function clearance.require_active() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  perform from public.app_user u where u.id = new.user_id and u.active for share;
  if not found then
    raise insufficient_privilege using message = 'this person is switched off';
  end if;
  return new;
end $$;
create trigger requires_active before insert on sign_in_session for each row
  execute function clearance.require_active();
create trigger requires_active before insert on sign_in_link for each row
  execute function clearance.require_active();
create trigger requires_active before insert on passkey for each row
  execute function clearance.require_active();

-- Whoever is switched off has nothing left to come in with, at that commit and whoever switches them on again: keys,
-- sessions, passkeys, what services may do for them or they for others, links, and tokens that a provider gave out before.
create function clearance.end_tokens() returns trigger
language plpgsql set search_path = '' as $$
begin
  new.tokens_after := clock_timestamp();
  return new;
end $$;
create trigger ends_tokens before update of active on app_user for each row
  when (old.active and not new.active) execute function clearance.end_tokens();

create function clearance.end_credentials() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
  update public.api_key set revoked_at = now() where user_id = new.id and revoked_at is null;
  update public.delegation set revoked_at = now()
    where (person_id = new.id or service_id = new.id) and revoked_at is null;
  update public.sign_in_session set ended_at = now(), ended_by = 'switched off', id_token = null
    where user_id = new.id and ended_at is null;
  update public.passkey set revoked_at = now() where user_id = new.id and revoked_at is null;
  update public.sign_in_link set revoked_at = now() where user_id = new.id and used_at is null and revoked_at is null;
  return null;
end $$;
create trigger ends_credentials after update of active on app_user for each row
  when (old.active and not new.active) execute function clearance.end_credentials();
alter table app_user enable always trigger ends_tokens;
alter table app_user enable always trigger ends_credentials;

-- Sessions, links and passkeys are looked up before anyone is known, as keys are.
do $$
declare t text;
begin
  foreach t in array array['sign_in_identity', 'sign_in_session', 'sign_in_link', 'passkey', 'directory_state'] loop
    execute format('create policy services_read on %I for select to clearance_app using (true)', t);
    execute format('grant select on %I to clearance_app', t);
  end loop;
  -- Nothing of these outlives a few minutes, and nobody is known yet.
  foreach t in array array['sign_in_attempt', 'used_logout_token'] loop
    execute format('create policy services_use on %I to clearance_app using (true) with check (true)', t);
    execute format('grant select, insert, delete on %I to clearance_app', t);
  end loop;
end $$;

-- An identity is linked by the person, by an administrator, or by the service that keeps the person's source.
do $$
declare
  mine constant text := 'user_id = (select clearance.caller()) or (select clearance.caller_may(''administer'')) or'
    ' exists (select from app_user u where u.id = user_id and u.source = (select clearance.provisioned()))';
begin
  execute format('create policy owners_add on sign_in_identity for insert to clearance_app with check (%s)', mine);
  execute format('create policy owners_change on sign_in_identity for update to clearance_app using (%s)', mine);
  execute format('create policy owners_drop on sign_in_identity for delete to clearance_app using (%s)', mine);
end $$;
grant insert, update (user_id, groups, groups_until), delete on sign_in_identity to clearance_app;

create policy persons_add on sign_in_session for insert to clearance_app
  with check (user_id = (select clearance.caller()));
create policy owners_end on sign_in_session for update to clearance_app
  using (user_id = (select clearance.caller()) or (select clearance.caller_may('administer')));
grant insert, update (ended_at, ended_by, id_token) on sign_in_session to clearance_app;

create policy administrators_add on sign_in_link for insert to clearance_app
  with check ((select clearance.caller_may('administer')) and created_by = (select clearance.caller()));
create policy owners_use on sign_in_link for update to clearance_app
  using (user_id = (select clearance.caller()) or (select clearance.caller_may('administer')));
grant insert, update (used_at, revoked_at) on sign_in_link to clearance_app;

create policy persons_add on passkey for insert to clearance_app
  with check (user_id = (select clearance.caller()));
create policy owners_change on passkey for update to clearance_app
  using (user_id = (select clearance.caller()) or (select clearance.caller_may('administer')));
grant insert, update (sign_count, last_used_at, revoked_at) on passkey to clearance_app;

-- Profiles are the source's: seen and kept by its own service, and by administrators; of its own people and roles alone.
do $$
declare
  mine constant text := '(source = (select clearance.provisioned()) or (select clearance.caller_may(''administer'')))';
  own constant text := mine || ' and (exists (select from app_user u where u.id = directory_profile.id'
    ' and u.source = directory_profile.source) or exists (select from role r where r.id = directory_profile.id'
    ' and r.source = directory_profile.source))';
begin
  execute format('create policy owners_read on directory_profile for select to clearance_app using (%s)', mine);
  execute format('create policy owners_add on directory_profile for insert to clearance_app with check (%s)', own);
  execute format('create policy owners_change on directory_profile for update to clearance_app using (%s)', own);
  execute format('create policy owners_drop on directory_profile for delete to clearance_app using (%s)', mine);
end $$;
grant select, insert, update (attributes, name_key, version, changed_at), delete on directory_profile to clearance_app;

create policy provisioners_add on directory_state for insert to clearance_app
  with check (source = (select clearance.provisioned()));
create policy provisioners_change on directory_state for update to clearance_app
  using (source = (select clearance.provisioned()));
grant insert, update on directory_state to clearance_app;
