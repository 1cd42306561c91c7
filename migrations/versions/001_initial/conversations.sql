-- Conversations, kept for their asker alone. An answer is derived text: it is read back only while every document that
-- it was made from is still the reader's to read, whatever the service asks; the vector of its text goes with it.

create table conversation (
  id uuid default gen_random_uuid() not null,
  user_id uuid not null,
  created_at timestamptz default now() not null,
  title text,
  constraint conversation_pkey primary key (id),
  constraint conversation_id_user_id_key unique (id, user_id),
  constraint conversation_title_check check (char_length(title) between 1 and 200),
  constraint conversation_user_id_fkey foreign key (user_id) references app_user (id) on delete cascade
);
create index conversation_user_id_created_at_idx on conversation (user_id, created_at);

-- The pair of ids in each foreign key below keeps a row with the person whose conversation it is.
create table turn (
  id uuid not null,
  conversation_id uuid not null,
  user_id uuid not null,
  question text not null,
  mode text not null,
  outcome text not null,
  policy_epoch bigint not null,
  at timestamptz default clock_timestamp() not null,
  vector bytea,
  embedder text,
  constraint turn_pkey primary key (id),
  constraint turn_id_user_id_key unique (id, user_id),
  constraint turn_mode_check check (mode in ('generate', 'quote')),
  constraint turn_outcome_check check (
    outcome in ('answered', 'quoted', 'may_help', 'nothing', 'asked_back', 'refused', 'failed', 'hung_up')
  ),
  constraint turn_conversation_id_fkey foreign key (conversation_id, user_id) references conversation (id, user_id)
    on delete cascade
);
create index turn_conversation_id_at_idx on turn (conversation_id, at);

create table turn_answer (
  turn_id uuid not null,
  user_id uuid not null,
  made_from integer not null,
  answer text not null,
  shown jsonb not null,
  redactions jsonb not null,
  details jsonb default '{}' not null,
  vector bytea,
  constraint turn_answer_pkey primary key (turn_id),
  constraint turn_answer_made_from_check check (made_from >= 0),
  constraint turn_answer_turn_id_fkey foreign key (turn_id, user_id) references turn (id, user_id) on delete cascade
);

create table turn_source (
  turn_id uuid not null,
  document_id bigint not null,
  scope_id integer not null,
  user_id uuid not null,
  constraint turn_source_pkey primary key (turn_id, document_id),
  constraint turn_source_turn_id_fkey foreign key (turn_id, user_id) references turn (id, user_id) on delete cascade,
  constraint turn_source_document_id_fkey foreign key (document_id, scope_id) references document (id, scope_id)
    on delete cascade on update cascade
);
create index turn_source_document_id_idx on turn_source (document_id);

-- Added and deleted by their asker; of what is there the title alone can be changed. Turns go with their conversation, by
-- foreign key.
do $$
declare t text;
begin
  foreach t in array array['conversation', 'turn'] loop
    execute format('create policy readers on %I for select to clearance_app '
                   'using (user_id = (select clearance.caller()))', t);
  end loop;
  foreach t in array array['conversation', 'turn', 'turn_answer'] loop
    execute format('create policy askers_add on %I for insert to clearance_app '
                   'with check (user_id = (select clearance.caller()))', t);
  end loop;
end $$;
create policy askers_drop on conversation for delete to clearance_app using (user_id = (select clearance.caller()));
create policy askers_rename on conversation for update to clearance_app
  using (user_id = (select clearance.caller())) with check (user_id = (select clearance.caller()));
create policy readers on turn_source for select to clearance_app
  using (user_id = (select clearance.caller()) and scope_id = any ((select clearance.visible_scopes())::int[]));
create policy askers_add on turn_source for insert to clearance_app
  with check (user_id = (select clearance.caller()) and scope_id = any ((select clearance.visible_scopes())::int[]));
-- The inner count runs under the policy above: a source that is no longer readable, or whose document is gone, is not
-- counted.
create policy readers on turn_answer for select to clearance_app
  using (user_id = (select clearance.caller())
     and made_from = (select count(*) from turn_source s where s.turn_id = turn_answer.turn_id));
grant select, insert on conversation, turn, turn_answer, turn_source to clearance_app;
grant delete, update (title) on conversation to clearance_app;
