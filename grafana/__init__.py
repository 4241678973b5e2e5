"""Grafana for caregivers and operators: dashboards as code, their readers' logins, pictures of the panels."""
