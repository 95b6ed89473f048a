"use strict";

const field = (id) => document.getElementById(id);

field("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  field("send").disabled = true;
  field("answer").textContent = "";
  try {
    const response = await fetch("/v1/password-resets", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ email: field("email").value }),
    });
    const said = await response.json();
    if (response.ok) {
      field("form").remove();
      field("answer").textContent = said.detail;
      return;
    }
    const details = (said.errors ?? []).map((e) => `${e.field} ${e.detail}`);
    field("answer").textContent = [said.detail, ...details].join(" ");
  } catch {
    field("answer").textContent = "The server could not be reached. Try again.";
  }
  field("send").disabled = false;
});
