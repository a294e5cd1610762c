// Does the sum that the form asks for (Altcha, version 1) and hands it in with the form. Without this script the form
// works too, only for fewer people at once.
"use strict";
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("form[data-proof]");
  if (!form || !window.crypto || !window.crypto.subtle) return;
  const hex = (octets) => Array.from(new Uint8Array(octets), (octet) => octet.toString(16).padStart(2, "0")).join("");
  const solve = async () => {
    const asked = await (await fetch(form.dataset.proof, { credentials: "omit" })).json();
    for (let number = 0; number <= asked.maxNumber; number++) {
      const digest = await crypto.subtle.digest(asked.algorithm, new TextEncoder().encode(asked.salt + number));
      if (hex(digest) === asked.challenge) {
        const { algorithm, challenge, salt, signature } = asked;
        return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
      }
    }
    return "";
  };
  let solved = null;
  form.addEventListener("focusin", () => { solved = solved || solve(); }, { once: true });
  form.addEventListener("submit", async (event) => {
    if (form.elements.altcha) return;
    event.preventDefault();
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "altcha";
    try { field.value = await (solved || solve()); } catch { field.value = ""; }
    form.append(field);
    form.submit();
  });
});
