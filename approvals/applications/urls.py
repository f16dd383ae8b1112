from approvals.applications.roster_urls import urlpatterns as roster_pages

app_name = "applications"
urlpatterns = [*roster_pages]
