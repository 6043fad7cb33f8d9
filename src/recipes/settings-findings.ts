import { posix } from 'node:path'
import type { Path } from '#deploy-file/yaml-text.ts'
import { readYaml } from '#deploy-file/yaml-text.ts'
import { isMapping } from './config-texts.ts'
import type { Diagnostic } from './diagnostic.ts'
import type { NotebookSettings } from './notebook-settings.ts'
import type { NotebookProject } from './scan.ts'

export interface SettingsFindings {
  /** Each forbids to serve the project: its author would take for granted what is not so. */
  readonly problems: readonly Diagnostic[]
  readonly warnings: readonly Diagnostic[]
}

interface Unsupported {
  readonly path: Path
  readonly isAsked: (settings: NotebookSettings) => boolean
  readonly finding: Pick<Diagnostic, 'code' | 'message' | 'hint'>
}

/** Whoever writes these counts on being protected by them. */
const REFUSED: readonly Unsupported[] = [
  {
    path: ['run', 'egress'],
    isAsked: ({ run }) => run?.egress === false,
    finding: {
      code: 'EGRESS_UNSUPPORTED',
      message: 'A notebook cannot be kept from reaching other hosts.',
      hint: 'Take "egress" out, and let the firewall of the machine decide what its containers reach.',
    },
  },
  {
    path: ['access', 'groups'],
    isAsked: ({ access }) => access?.groups !== undefined,
    finding: {
      code: 'GROUPS_UNSUPPORTED',
      message: 'It has no groups of its own: whoever may see its app in Fairlead may open it.',
      hint: 'Take "groups" out, and let those only see its repository who may open it (docs/people.md).',
    },
  },
  {
    path: ['run', 'volumes'],
    isAsked: ({ run }) =>
      (run?.volumes ?? []).some(({ name, path }) => name !== 'work' || path !== '/srv/work'),
    finding: {
      code: 'VOLUME_UNSUPPORTED',
      message: 'Only /srv/work is kept, as the volume "work".',
      hint: 'Put what is to stay below /srv/work, and take the other volumes out.',
    },
  },
]

/** It runs without them, only otherwise than its author thinks. */
const WARNED: readonly Unsupported[] = [
  {
    path: ['env', 'shared'],
    isAsked: ({ env }) => env?.shared === true,
    finding: {
      code: 'SHARED_UNSUPPORTED',
      message: 'Server and kernels have an environment each; "shared" has no effect.',
      hint: 'For extensions of the server, use a base image that has them ("env.base").',
    },
  },
  {
    path: ['build', 'memory'],
    isAsked: ({ build }) => build?.memory !== undefined,
    finding: {
      code: 'BUILD_MEMORY_UNSUPPORTED',
      message: 'The engine limits no single build; "build.memory" has no effect.',
      hint: 'Take it out; "build.timeout" is kept to.',
    },
  },
  {
    path: ['build', 'network'],
    isAsked: ({ build }) => build?.network !== undefined,
    finding: {
      code: 'BUILD_NETWORK_UNSUPPORTED',
      message: 'Builds have the network of the engine; "build.network" has no effect.',
      hint: 'Take it out. Addresses that packages come from are checked in any case.',
    },
  },
  {
    path: ['run', 'gpu'],
    isAsked: ({ run }) => run?.gpu !== undefined && run.gpu !== 'none',
    finding: {
      code: 'GPU_UNSUPPORTED',
      message: 'Notebooks get no GPU; "run.gpu" has no effect.',
      hint: 'Write "gpu: none", or take it out.',
    },
  },
  {
    path: ['run', 'volumes'],
    isAsked: ({ run }) => (run?.volumes ?? []).some(({ size }) => size !== undefined),
    finding: {
      code: 'VOLUME_SIZE_UNSUPPORTED',
      message: 'The size of a volume is not limited.',
      hint: 'Take "size" out, and watch the disk of the host.',
    },
  },
  {
    path: ['access', 'auth'],
    isAsked: ({ access }) => access?.auth === 'none',
    finding: {
      code: 'ALWAYS_GUARDED',
      message:
        'A notebook is open to nobody without a link or a token, because whoever opens it can run programs.',
      hint: 'Take "auth: none" out. For readers without a token there is the preview.',
    },
  },
  {
    path: ['preview', 'enabled'],
    isAsked: ({ preview }) => preview?.enabled === false,
    finding: {
      code: 'PREVIEW_ALWAYS',
      message: 'Whoever has a token of Fairlead may see a preview; "preview.enabled" has no effect.',
      hint: 'Take it out. Keep what those people must not see in another repository.',
    },
  },
  {
    path: ['preview', 'execute'],
    isAsked: ({ preview }) => preview?.execute === true,
    finding: {
      code: 'PREVIEW_NOT_EXECUTED',
      message: 'Previews show what is in the file; nothing is run for them.',
      hint: 'Save the notebook with its outputs.',
    },
  },
]

/** What nb.yaml and notebooks.yaml ask for that is not done, with the line that asks; `text` is asked from the root. */
export function settingsFindings(
  { folder, settings }: Pick<NotebookProject, 'folder' | 'settings'>,
  text: (path: string) => string | undefined,
): SettingsFindings {
  const found = (rules: readonly Unsupported[]) =>
    rules
      .filter(({ isAsked }) => isAsked(settings))
      .map(({ path, finding }) => ({ ...finding, ...placeOf(path, { folder, text }) }))
  return { problems: found(REFUSED), warnings: found(WARNED) }
}

interface Place {
  readonly folder: string
  readonly text: (path: string) => string | undefined
}

/** The file that says it, from the project's folder: its own, else the one for all projects. */
function placeOf(path: Path, { folder, text }: Place): Pick<Diagnostic, 'file' | 'line'> {
  const places = [
    ...['nb.yaml', 'nb.yml'].map(file => ({ file: posix.join(folder, file), at: path })),
    ...['notebooks.yaml', 'notebooks.yml'].map(file => ({ file, at: ['defaults', ...path] })),
  ]
  for (const { file, at } of places) {
    const yaml = readYaml(text(file) ?? '')
    if (isSaid(yaml.value, at)) {
      return { file: posix.relative(folder, file), line: yaml.placeOf(at, 'key').line }
    }
  }
  return {}
}

function isSaid(value: unknown, [key, ...rest]: Path): boolean {
  if (key === undefined) {
    return value !== undefined
  }
  return isMapping(value) && isSaid(value[key], rest)
}
