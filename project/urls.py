"""Every page's address. The rooms name their own; the project adds sign-in, home and the demo's buttons."""

from django.contrib.auth.views import LogoutView
from django.urls import include, path

from project import demo_views, views
from project.health import healthz

ROOMS = ["organisations", "programmes", "applications", "review", "notices", "awards", "disbursement", "oversight"]

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", views.SignIn.as_view(), name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("demo/clock/", views.clock_forward, name="clock_forward"),
    path("demo/reset/", views.demo_reset, name="demo_reset"),
    path("demo/roster.xlsx", demo_views.demo_roster, name="demo_roster"),
    path("healthz", healthz, name="healthz"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("notifications.urls")),
    *(path("", include(f"approvals.{room}.urls")) for room in ROOMS),
]

handler500 = "project.views.server_error"
