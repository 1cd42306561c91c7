-- Access reviews: somebody in charge of a collection goes through its grants and says of each whether it stays. Grants on
-- documents are listed by the scope that they make, never by a path: administrators see reviews of collections whose
-- documents they may not know.

create table access_review (
  id uuid default gen_random_uuid() not null,
  collection_id uuid not null,
  title text not null,
  opened_by uuid,
  opened_at timestamptz default now() not null,
  state text default 'open' not null,
  closed_by uuid,
  closed_at timestamptz,
  -- Who decided what of which grant, and the SHA-256 of it in canonical form, which the log holds too.
  manifest jsonb,
  digest bytea,
  constraint access_review_pkey primary key (id),
  constraint access_review_id_collection_id_key unique (id, collection_id),
  constraint access_review_collection_id_fkey foreign key (collection_id) references collection (id) on delete cascade,
  constraint access_review_state_check check (state in ('open', 'closed')),
  constraint access_review_closed_check
    check (num_nulls(closed_at, manifest, digest) = case state when 'closed' then 0 else 3 end)
);
create index access_review_collection_id_idx on access_review (collection_id);

create table access_review_item (
  id uuid default gen_random_uuid() not null,
  review_id uuid not null,
  collection_id uuid not null,
  ordinal int not null,
  -- The collection itself, a folder of it by its path, or the documents of a scope by its public id.
  place text not null,
  folder text,
  scope uuid,
  grant_value jsonb not null,
  -- How many documents of the scope, and people behind the grant, there were when the review was opened.
  documents int default 0 not null,
  people int not null,
  decision text,
  decided_by uuid,
  decided_at timestamptz,
  constraint access_review_item_pkey primary key (id),
  constraint access_review_item_review_id_ordinal_key unique (review_id, ordinal),
  constraint access_review_item_review_id_fkey foreign key (review_id, collection_id)
    references access_review (id, collection_id) on delete cascade,
  constraint access_review_item_place_check check (
    case place when 'collection' then folder is null and scope is null
               when 'folder' then folder is not null and scope is null
               when 'documents' then folder is null and scope is not null else false end),
  constraint access_review_item_decision_check check (decision in ('keep', 'withdraw')),
  constraint access_review_item_decided_check check ((decision is null) = (decided_at is null))
);

-- What was decided when a review was closed stays as it is.
create function clearance.keep_closed_review() returns trigger
language plpgsql set search_path = '' as $$
begin
  raise exception 'the review was closed, and stays as it is' using errcode = 'integrity_constraint_violation';
end $$;
create function clearance.keep_closed_item() returns trigger
language plpgsql set search_path = '' as $$
begin
  if exists (select from public.access_review r where r.id = old.review_id and r.state = 'closed') then
    raise exception 'the review was closed, and stays as it is' using errcode = 'integrity_constraint_violation';
  end if;
  return new;
end $$;
create trigger stays_closed before update on access_review for each row
  when (old.state = 'closed') execute function clearance.keep_closed_review();
create trigger stays_closed before update on access_review_item for each row
  execute function clearance.keep_closed_item();
alter table access_review enable always trigger stays_closed;
alter table access_review_item enable always trigger stays_closed;

-- For who may change the rules of the collection; each writes in their own name.
do $$
declare
  t text;
  rulers constant text := '((select clearance.caller_may(''administer''))'
    ' or collection_id = any ((select clearance.curated())::uuid[]))';
begin
  foreach t in array array['access_review', 'access_review_item'] loop
    execute format('create policy rulers_read on %I for select to clearance_app using (%s)', t, rulers);
  end loop;
  execute format('create policy rulers_open on access_review for insert to clearance_app'
                 ' with check (%s and opened_by = (select clearance.caller()))', rulers);
  execute format('create policy rulers_close on access_review for update to clearance_app using (%s)'
                 ' with check (closed_by = (select clearance.caller()))', rulers);
  execute format('create policy rulers_add on access_review_item for insert to clearance_app with check (%s)', rulers);
  execute format('create policy rulers_decide on access_review_item for update to clearance_app using (%s)'
                 ' with check (decided_by = (select clearance.caller()))', rulers);
end $$;
grant select, insert (collection_id, title, opened_by), update (state, closed_by, closed_at, manifest, digest)
  on access_review to clearance_app;
grant select, insert (review_id, collection_id, ordinal, place, folder, scope, grant_value, documents, people),
  update (decision, decided_by, decided_at) on access_review_item to clearance_app;
