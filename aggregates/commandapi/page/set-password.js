"use strict";

// The link is /set-password#token=...&email=..., with for=client when a client
// accepts its invitation by it; the fragment stays in the browser, and is taken
// out of the address bar at once.
const link = new URLSearchParams(location.hash.slice(1));
history.replaceState(null, "", location.pathname);

const field = (id) => document.getElementById(id);
const forClient = link.get("for") === "client";
field("email").value = link.get("email") ?? "";

field("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  field("send").disabled = true;
  field("answer").textContent = "";
  try {
    const response = await fetch(forClient ? "/v1/client-invitations/accept" : "/v1/passwords", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        token: link.get("token") ?? "",
        email: field("email").value,
        password: field("password").value,
      }),
    });
    if (response.ok) {
      field("form").remove();
      field("answer").textContent = "Your password is set. You can sign in now.";
      return;
    }
    const problem = await response.json();
    const details = (problem.errors ?? []).map((e) => `${e.field} ${e.detail}`);
    field("answer").textContent = [problem.detail, ...details].join(" ");
  } catch {
    field("answer").textContent = "The server could not be reached. Try again.";
  }
  field("send").disabled = false;
});
