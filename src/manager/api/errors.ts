import { defineError } from '#lib/errors.ts'

export const NOTHING_HERE = defineError({
  code: 'NOTHING_HERE',
  status: 404,
  retry: 'never',
  message: (method: string, path: string) => `There is nothing at ${method} ${path.slice(0, 200)}.`,
  hint: () => 'All routes are described at /api/v1/docs; paths are in lower case and end without a slash.',
})

export const TOKEN_MISSING = defineError({
  code: 'TOKEN_MISSING',
  status: 401,
  retry: 'never',
  message: () => 'This request carries no token.',
  hint: () =>
    'Send "Authorization: Bearer flt_…"; the first token was printed when the manager started for the first time.',
})

export const TOKEN_UNKNOWN = defineError({
  code: 'TOKEN_UNKNOWN',
  status: 401,
  retry: 'never',
  message: () => 'This token is not valid.',
  hint: () => 'Check that the whole token was copied and belongs to this manager.',
})

export const TOO_MANY_FAILURES = defineError({
  code: 'TOO_MANY_FAILURES',
  status: 429,
  retry: { afterSeconds: 60 },
  message: () => 'Too many requests from this address failed to authenticate.',
  hint: () => 'Wait a minute, then use a valid token or signature.',
})

export const TOO_MANY_CALLS = defineError({
  code: 'TOO_MANY_CALLS',
  status: 429,
  retry: { afterSeconds: 60 },
  message: () => 'Too many calls from this address within a minute.',
  hint: () =>
    'Wait a minute, or let the manager take more with RATE_LIMIT_PER_MIN. Behind a proxy or tunnel set FAIRLEAD_TRUSTED_PROXIES, so that callers are told apart.',
})

export const BUSY = defineError({
  code: 'BUSY',
  status: 503,
  retry: { afterSeconds: 2 },
  message: () => 'The manager is receiving more data than it may keep in memory.',
  hint: () => 'Nothing to do: send it again in a moment.',
})

export const MALFORMED_REQUEST = defineError({
  code: 'MALFORMED_REQUEST',
  status: 400,
  retry: 'never',
  message: (reason: string) => `The request cannot be read: ${reason}`,
  hint: () => 'Send one JSON value, encoded as UTF-8, that is complete.',
})

export const BODY_TOO_LARGE = defineError({
  code: 'BODY_TOO_LARGE',
  status: 413,
  retry: 'never',
  message: () => 'The body of the request is larger than is accepted here.',
  hint: () => 'The API takes 1 MiB; large files belong into the repository.',
})

export const CONTENT_TYPE_REFUSED = defineError({
  code: 'CONTENT_TYPE_REFUSED',
  status: 415,
  retry: 'never',
  message: () => 'The body is not plain application/json.',
  hint: () => 'Send "Content-Type: application/json" and no Content-Encoding.',
})

export const IDEMPOTENCY_KEY_INVALID = defineError({
  code: 'IDEMPOTENCY_KEY_INVALID',
  status: 400,
  retry: 'never',
  message: () => 'The Idempotency-Key is not 1 to 255 visible ASCII characters.',
  hint: () => 'Use a fresh UUID for each thing that you want done once.',
})

export const IDEMPOTENCY_KEY_REUSED = defineError({
  code: 'IDEMPOTENCY_KEY_REUSED',
  status: 422,
  retry: 'never',
  message: () => 'This Idempotency-Key was used for another request.',
  hint: () => 'Use a fresh key for each different request; the same key only repeats the same one.',
})

export const IDEMPOTENCY_IN_PROGRESS = defineError({
  code: 'IDEMPOTENCY_IN_PROGRESS',
  status: 409,
  retry: { afterSeconds: 1 },
  message: () => 'The first request with this Idempotency-Key is still being worked on.',
  hint: () => 'Send it again in a moment to get the answer of the first one.',
})

export const NO_SERVICES = defineError({
  code: 'NO_SERVICES',
  status: 422,
  retry: 'never',
  message: (app: string) => `The app "${app}" has no services: it is one container.`,
  hint: (app: string) => `Leave the service out: "fairlead logs ${app}".`,
})

export const LOGS_NOT_AVAILABLE = defineError({
  code: 'LOGS_NOT_AVAILABLE',
  status: 409,
  retry: 'never',
  message: (app: string, target: string) => `The app "${app}" has no logs to show (it runs as "${target}").`,
  hint: () => 'Deploy it first; the logs of its deployments are under /api/v1/deployments.',
})

export const COMMIT_AND_RELEASE = defineError({
  code: 'COMMIT_AND_RELEASE',
  status: 422,
  retry: 'never',
  message: () => 'A deployment brings either a commit or version, or an earlier release.',
  hint: () => 'Leave "release" out, or the others: a release has its commit and version.',
})

export const ORIGIN_REFUSED = defineError({
  code: 'ORIGIN_REFUSED',
  status: 403,
  retry: 'never',
  message: (origin: string) =>
    origin === ''
      ? 'The request does not say which page it comes from (Origin).'
      : `Requests from pages of ${origin.slice(0, 200)} may change nothing here.`,
  hint: () =>
    'Use the pages of this manager under the address of FAIRLEAD_PUBLIC_URL. Programs use a token instead of a cookie.',
})

export const SECOND_FACTOR_MISSING = defineError({
  code: 'SECOND_FACTOR_MISSING',
  status: 401,
  retry: 'never',
  message: () => 'The second factor is missing.',
  hint: () => 'Send the code of your authenticator with POST /api/v1/sign-in/second-factor.',
})

export const UPGRADE_MISSING = defineError({
  code: 'UPGRADE_MISSING',
  status: 426,
  retry: 'never',
  message: (protocol: string) =>
    `This address speaks only over a WebSocket with the subprotocol ${protocol}.`,
  hint: () => 'Open it with "fairlead systems console <system>", or on the page of the system.',
})

export const TOO_MANY_CONSOLES = defineError({
  code: 'TOO_MANY_CONSOLES',
  status: 429,
  retry: 'later',
  message: (whose: string, most: number) => `${whose} has ${most} consoles open already.`,
  hint: () => 'Close one that nobody needs any more: leave its shell, or close its page.',
})

export const NO_SIGN_IN_BEGUN = defineError({
  code: 'NO_SIGN_IN_BEGUN',
  status: 401,
  retry: 'never',
  message: () => 'Nobody here waits for a second factor.',
  hint: () => 'Sign in with the password first; its session waits ten minutes for the code.',
})
