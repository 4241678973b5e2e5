// Takes what makes a reset link good from behind the # into the form, and out of the address and the history.
"use strict";
const field = document.getElementById("code");
if (location.hash.length > 1) {
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}
if (field.value) {
  document.getElementById("link").hidden = true;
  document.getElementById("password").focus();
}
