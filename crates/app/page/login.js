// The page that asks for the token, once.
import { html, useState } from './vendor/preact-htm.js';
import * as api from './api.js';
import { Mark } from './icons.js';

/** Only an address of our own is gone to. */
function nextAddress(search) {
  const next = new URL(new URLSearchParams(search).get('next') ?? '/', location.origin);
  return next.origin === location.origin ? next.href : '/';
}

export function Login({ search }) {
  const [problem, setProblem] = useState('');
  const [busy, setBusy] = useState(false);
  const enter = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      await api.login(new FormData(event.target).get('token').trim());
      location.assign(nextAddress(search));
    } catch (refusal) {
      setProblem(refusal.status === 401 || refusal.status === 403 ? 'This token is not known here.' : refusal.message);
      setBusy(false);
    }
  };
  return html`<main class="login">
    <form onSubmit=${enter} action="/api/login" method="post">
      <${Mark} size=${44} />
      <h1>finelens</h1>
      <p>This collection asks for a token. Whoever started the server has it.</p>
      <label for="token">Token</label>
      <input id="token" name="token" type="password" autocomplete="current-password" required autofocus
        aria-describedby="login-problem" aria-invalid=${problem ? 'true' : undefined} />
      <p id="login-problem" class="field-problem" role="alert">${problem}</p>
      <button class="primary" disabled=${busy}>Log in</button>
    </form>
  </main>`;
}
