// Makes a slider of the form under a map: each step is a day, and letting go of it opens that day's page.
// Without this script the form works as it is.
"use strict";

const form = document.querySelector("form.when");
if (form) {
  const DAY = 86400000;
  const date = form.querySelector("input[type=date]");
  const first = Date.parse(form.dataset.first);
  // Up to the last day that was checked, which the newest map knows; or today, where the log's days begin and end.
  // "en-CA" writes a date as 2025-08-29.
  const last = Date.parse(form.dataset.last || new Date().toLocaleDateString("en-CA", { timeZone: form.dataset.zone }));
  const iso = (days) => new Date(first + days * DAY).toISOString().slice(0, 10);
  const words = (days) =>
    new Date(first + days * DAY).toLocaleDateString("en-GB", {
      timeZone: "UTC", day: "numeric", month: "long", year: "numeric",
    });

  const slider = document.createElement("input");
  slider.type = "range";
  slider.min = 0;
  slider.max = Math.max(0, Math.round((last - first) / DAY));
  slider.value = Math.round((Date.parse(date.value) - first) / DAY);
  slider.id = "slider";
  slider.setAttribute("aria-labelledby", "on-label");
  const output = document.createElement("output");
  output.htmlFor = slider.id;

  const show = () => {
    output.textContent = words(slider.valueAsNumber);
    slider.setAttribute("aria-valuetext", output.textContent);
    date.value = iso(slider.valueAsNumber);
  };
  const open = (event) => {
    event.preventDefault();
    window.location.assign(form.dataset.pages + date.value);
  };
  // A key moves one day and must not open a page each time; a pointer that lets go means it.
  let pointed = false;
  slider.addEventListener("pointerdown", () => { pointed = true; });
  slider.addEventListener("input", show);
  slider.addEventListener("change", (event) => { if (pointed) open(event); });
  date.addEventListener("input", () => {
    if (date.value) slider.value = Math.round((Date.parse(date.value) - first) / DAY);
    output.textContent = words(slider.valueAsNumber);
  });
  form.addEventListener("submit", open);
  date.before(slider, output);
  show();
}
