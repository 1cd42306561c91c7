def test_x(company, client):
    r = client.post("/api/v1/ask", json={"question":"How many weeks of parental leave does an employee get?"}, headers=company.headers("ben"))
    print(r.status_code, r.text)
    r = client.post("/api/v1/search", json={"query":"deploy key travel card"}, headers=company.headers("ben"))
    print(r.status_code, r.text)
    assert 0
