"""The console: server-rendered pages for employees, curators, administrators and auditors."""
