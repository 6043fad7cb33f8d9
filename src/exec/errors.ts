import { defineError } from '#lib/errors.ts'

export const CALL_CANCELLED = defineError({
  code: 'CALL_CANCELLED',
  status: 499,
  retry: 'never',
  message: (call: string) => `Cancelled while it ran: ${call}`,
  hint: () =>
    'Somebody cancelled the deployment or a newer one replaced it. Deploy again if this one is wanted.',
})

export const CALL_TIMED_OUT = defineError({
  code: 'CALL_TIMED_OUT',
  status: 504,
  retry: 'later',
  message: (call: string, seconds: number) => `Not done within ${seconds} s and therefore ended: ${call}`,
  hint: () =>
    'Read the last lines of the log: it either waits for something (network, a lock, an input) or needs a longer limit.',
})

export const PROGRAM_MISSING = defineError({
  code: 'PROGRAM_MISSING',
  status: 500,
  retry: 'never',
  message: (program: string, _debianPackage: string) =>
    `The program "${program}" is not installed on this host.`,
  hint: (_program: string, debianPackage: string) =>
    `Install it on the worker's host: apt-get install ${debianPackage}. "fairlead doctor" shows what else is missing.`,
})

export const PROGRAM_NOT_STARTED = defineError({
  code: 'PROGRAM_NOT_STARTED',
  status: 500,
  retry: 'later',
  message: (call: string, reason: string) => `Could not be started (${reason}): ${call}`,
  hint: () =>
    "Check that the worker's host has free memory and processes, and that the program may be executed.",
})

export const PROGRAM_FAILED = defineError({
  code: 'PROGRAM_FAILED',
  status: 502,
  retry: 'never',
  message: (call: string, how: string, lastLine: string) =>
    lastLine === '' ? `${call} ended with ${how}` : `${call} ended with ${how}: ${lastLine}`,
  hint: () => 'Its own message says why; the end of its error output is in the facts of this error.',
})

export const OUTPUT_TOO_LARGE = defineError({
  code: 'OUTPUT_TOO_LARGE',
  status: 502,
  retry: 'never',
  message: (call: string, limitBytes: number) => `Gave more than ${limitBytes} bytes and was ended: ${call}`,
  hint: () =>
    'The repository or the host has more of it than Fairlead reads. Make it smaller, or report this limit.',
})

export const FOLDER_MISSING = defineError({
  code: 'FOLDER_MISSING',
  status: 500,
  retry: 'later',
  message: (folder: string) => `The folder ${folder} is not there.`,
  hint: () =>
    "Something removed it from the worker's workspace. Deploy again: the checkout is made anew from the repository.",
})

export const ENGINE_UNREACHABLE = defineError({
  code: 'ENGINE_UNREACHABLE',
  status: 503,
  retry: 'later',
  message: (engine: string, reason: string) => `Cannot connect to ${engine} (${reason}).`,
  hint: (engine: string) =>
    /^(docker|incus) /.test(engine)
      ? `Start it on the worker's host ("systemctl start ${engine.split(' ')[0]}") and look at "journalctl -u ${engine.split(' ')[0]}" if it does not stay up.`
      : `Check that what listens at ${engine} is running and that the worker's host can reach it.`,
})

export const ENGINE_DENIED = defineError({
  code: 'ENGINE_DENIED',
  status: 502,
  retry: 'never',
  message: (engine: string) => `The worker may not open ${engine}.`,
  hint: (engine: string) =>
    /^(docker|incus) /.test(engine)
      ? `Add the worker's user to the group "${engine.startsWith('incus') ? 'incus-admin' : 'docker'}" (usermod -aG <group> <user>) and restart the worker.`
      : 'Check the rights of the user that the worker runs as, and the firewall of its host.',
})

export const ENGINE_REFUSED_CLIENT = defineError({
  code: 'ENGINE_REFUSED_CLIENT',
  status: 502,
  retry: 'never',
  message: (engine: string, reason: string) =>
    `${engine[0]?.toUpperCase()}${engine.slice(1)} does not take the worker's certificate (${reason}).`,
  hint: () =>
    'In the file of engines on the worker\'s host (docs/engines.md) "cert" has to be signed by the authority that the engine was started with (--tlscacert), be for clients, and be valid now.',
})

export const ENGINE_UNTRUSTED = defineError({
  code: 'ENGINE_UNTRUSTED',
  status: 502,
  retry: 'never',
  message: (engine: string, reason: string) => `The certificate of ${engine} is not trusted (${reason}).`,
  hint: (engine: string) =>
    engine.startsWith('the engine at')
      ? 'In the file of engines on the worker\'s host (docs/engines.md) "ca" has to be the authority that signed the engine\'s certificate, which must be valid now and name the host of the address.'
      : 'Give the certificate of the authority that signed it in the settings of this registry or service, or renew the certificate.',
})

export const ENGINE_REFUSED = defineError({
  code: 'ENGINE_REFUSED',
  status: 502,
  retry: 'never',
  message: (request: string, status: number, said: string) =>
    `${request} was refused with ${status}: ${said}`,
  hint: (_request: string, status: number) =>
    status === 401 || status === 403
      ? 'Check the user name and the password or token for it.'
      : status >= 500
        ? 'The service itself failed: its own log says more. If it was starting or restarting, deploy again.'
        : 'The answer says what was wrong with the request; correct that in the app and deploy again.',
})

export const ENGINE_BROKE_OFF = defineError({
  code: 'ENGINE_BROKE_OFF',
  status: 502,
  retry: 'later',
  message: (request: string, reason: string) => `${request} broke off without a complete answer (${reason}).`,
  hint: () =>
    'The service was probably restarted or speaks another protocol than expected. Look at its log, then try again.',
})

export const ANSWER_TOO_LARGE = defineError({
  code: 'ANSWER_TOO_LARGE',
  status: 502,
  retry: 'never',
  message: (request: string, limitBytes: number) =>
    `The answer to ${request} is larger than ${limitBytes} bytes.`,
  hint: () => 'There is more of it than Fairlead reads. Remove what is no longer used from that service.',
})

export const FILE_FAILED = defineError({
  code: 'FILE_FAILED',
  status: 500,
  retry: 'later',
  message: (operation: string, path: string, reason: string) => `Cannot ${operation} ${path} (${reason}).`,
  hint: () => "Check the owner, the rights and the free space of the worker's workspace.",
})

export const FILE_TOO_LARGE = defineError({
  code: 'FILE_TOO_LARGE',
  status: 422,
  retry: 'never',
  message: (path: string, bytes: number, limitBytes: number) =>
    `${path} has ${bytes} bytes; at most ${limitBytes} are read.`,
  hint: () => 'Make the file smaller, or take it out of what the app reads.',
})

export const PATH_LEAVES_WORKSPACE = defineError({
  code: 'PATH_LEAVES_WORKSPACE',
  status: 422,
  retry: 'never',
  message: (path: string) => `${path} is outside of its folder or leads over a symbolic link.`,
  hint: () => 'Put the file itself into the repository instead of a symbolic link or a path with "..".',
})

export const DISK_FULL = defineError({
  code: 'DISK_FULL',
  status: 507,
  retry: 'later',
  message: (where: string) => `No space is left on the disk of this host (${where}).`,
  hint: () => 'Free space on the host, for example with "fairlead hosts prune <host>", and deploy again.',
})

export const BUILD_FAILED = defineError({
  code: 'BUILD_FAILED',
  status: 422,
  retry: 'never',
  message: (step: string, reason: string) => `The image could not be built at ${step}: ${reason}`,
  hint: () =>
    'The last lines of the log show what the step printed. "docker build" in the same folder shows the same.',
})

export const DOCKERFILE_MISSING = defineError({
  code: 'DOCKERFILE_MISSING',
  status: 422,
  retry: 'never',
  message: (dockerfile: string) => `There is no Dockerfile at "${dockerfile}" in the build context.`,
  hint: () =>
    'Commit it, or correct "dockerfile" and the context in the deploy file; paths are relative to the context.',
})

export const DOCKERFILE_INVALID = defineError({
  code: 'DOCKERFILE_INVALID',
  status: 422,
  retry: 'never',
  message: (dockerfile: string, reason: string) => `Docker cannot read "${dockerfile}": ${reason}`,
  hint: () =>
    'Correct that line. Newer syntax (heredocs, COPY --link) needs a newer Docker Engine on the host.',
})

export const DOCKERIGNORE_INVALID = defineError({
  code: 'DOCKERIGNORE_INVALID',
  status: 422,
  retry: 'never',
  message: (file: string, pattern: string) => `${file} has a pattern that means nothing: ${pattern}`,
  hint: () => 'Close each "[", give each "!" a pattern, and do not end a pattern with a backslash.',
})

export const BASE_IMAGE_UNAVAILABLE = defineError({
  code: 'BASE_IMAGE_UNAVAILABLE',
  status: 502,
  retry: 'later',
  message: (reason: string) => `An image that the Dockerfile starts from cannot be fetched: ${reason}`,
  hint: () =>
    'Check its name and tag in FROM, that its registry can be reached from this host, and the credentials for a private registry.',
})

export const CONTEXT_CHANGED = defineError({
  code: 'CONTEXT_CHANGED',
  status: 409,
  retry: 'later',
  message: (path: string) => `${path} changed while the build context was sent.`,
  hint: () =>
    'Something else writes into the checkout. Deploy again; if it comes back, look for what runs there.',
})
