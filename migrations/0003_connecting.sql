-- How clients connect: each line of the audit about a client can be found by it.
CREATE INDEX audit_by_client ON audit (client_id, at) WHERE client_id IS NOT NULL;
