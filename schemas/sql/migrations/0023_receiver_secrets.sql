-- The secrets with which webhooks are signed: each receiver has its own.

-- Sealed with a key that lies outside of the database. issued_at and ends_at are real time; ends_at
-- null: the one in use, until it is rotated. Where there are several, each call bears a signature by
-- every one of them.
create table receiver_secrets (
    secret_no integer primary key generated always as identity,
    doctor_no integer not null,
    channel text not null,
    sealed bytea not null,
    issued_at timestamptz not null,
    ends_at timestamptz,
    foreign key (doctor_no, channel) references contact_addresses on delete cascade
);
create index receiver_secrets_by_receiver on receiver_secrets (doctor_no, channel);

-- Another address is another receiver, who must not know the secret of the one before.
create function forget_receiver_secrets() returns trigger language plpgsql as $$
begin
    delete from receiver_secrets held where (held.doctor_no, held.channel) = (old.doctor_no, old.channel);
    return new;
end
$$;
create trigger another_receiver after update of address on contact_addresses for each row
when (old.address is distinct from new.address) execute function forget_receiver_secrets();
