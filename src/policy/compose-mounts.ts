import { posix } from 'node:path'
import type { ModelPath } from './finding.ts'
import type { RuleContext } from './rule-context.ts'
import { isEscape } from './rule-context.ts'
import { isOn, type Shape, scalarText, shapeOf, shapesOf } from './shape.ts'

/** Besides the sockets of the host itself. */
const SOCKETS = ['docker.sock', 'podman/podman.sock', 'containerd/containerd.sock', 'crio/crio.sock'].flatMap(
  name => [`/run/${name}`, `/var/run/${name}`],
)

/** POL010 to POL014: what of the host's files a service would see. */
export function checkMounts(context: RuleContext, path: ModelPath, service: Shape): void {
  for (const [index, mount] of shapesOf(service.volumes).entries()) {
    const at = [...path, 'volumes', index]
    const type = scalarText(mount.type) ?? 'volume'
    if (type === 'bind') {
      checkBind(context, at, mount)
    } else if (type === 'volume' && /[/\\~]/.test(scalarText(mount.source) ?? '')) {
      context.report.deny('POL010', at, notMounted(scalarText(mount.source) ?? ''))
    } else if (type !== 'volume' && type !== 'tmpfs') {
      context.report.deny('POL012', [...at, 'type'], {
        message: `mounts of type "${type}" are not allowed.`,
        fix: 'Use a named volume, or a path inside the repository (./…).',
      })
    }
  }
}

function checkBind(context: RuleContext, at: ModelPath, mount: Shape): void {
  const { report } = context
  const source = scalarText(mount.source)
  const propagation = scalarText(shapeOf(mount.bind).propagation)
  if (propagation && /shared|slave/.test(propagation)) {
    report.deny('POL012', [...at, 'bind', 'propagation'], {
      message: `mount propagation "${propagation}" reaches the host's mounts and is not allowed.`,
      fix: 'Remove it.',
    })
  }
  if (source === undefined) {
    return
  }
  if (exposesSocket(source, context.project.sockets)) {
    report.refuse('POL013', at, notMounted(source))
  } else if (context.inCheckout(source) === undefined) {
    report[isEscape(source) ? 'refuse' : 'deny']('POL010', at, notMounted(source))
  } else if (!isOn(mount.read_only)) {
    report.warn('POL014', at, {
      message: `"${scalarText(mount.target) ?? source}" comes from the repository and was made read-only.`,
      fix: 'Add ":ro" to say so, or use a named volume for data that the service writes.',
    })
  }
}

function notMounted(source: string): { message: string; fix: string } {
  return {
    message: `bind mount of host path "${source}" is not allowed.`,
    fix: 'Only paths inside the repository (./…) may be mounted.',
  }
}

/** The socket itself, a folder above it, or /proc, through which everything can be reached. */
function exposesSocket(source: string, own: readonly string[]): boolean {
  if (!source.startsWith('/')) {
    return false
  }
  const path = posix.normalize(source.replace(/^\/+/, '/')).replace(/(?<=.)\/+$/, '')
  const above = path === '/' ? '/' : `${path}/`
  return (
    /^\/proc(?:\/|$)/.test(path) ||
    [...SOCKETS, ...own].some(socket => socket === path || socket.startsWith(above))
  )
}

/** POL011, POL012, POL051: named volumes are plain local ones of this app. */
export function checkVolumes({ report, project }: RuleContext, model: Shape): void {
  for (const [name, value] of Object.entries(shapeOf(model.volumes))) {
    const volume = shapeOf(value)
    const at = ['volumes', name]
    const driver = scalarText(volume.driver)
    if (driver && driver !== 'local') {
      report.deny('POL012', [...at, 'driver'], {
        message: `volume driver "${driver}" is not allowed.`,
        fix: 'Use the "local" driver.',
      })
    }
    const options = Object.entries(shapeOf(volume.driver_opts))
    if (options.length > 0) {
      const shown = options
        .map(([key, text]) => `${key}: ${scalarText(text) ?? ''}`)
        .find(text => /^o: /.test(text))
      report.deny('POL011', [...at, 'driver_opts'], {
        message: /bind/.test(shown ?? '')
          ? 'a "local" volume with "o: bind" is a host bind mount and is not allowed.'
          : 'a "local" volume with "driver_opts" mounts a device or a remote file system and is not allowed.',
        fix: 'Remove "driver_opts".',
      })
    }
    checkOwnName({ report, project }, ['volumes', name], volume)
  }
}

/**
 * Other names may be another app's, also those that only begin with the app's: POL050 (networks), POL051 (volumes),
 * POL052 (secrets, configs).
 */
export function checkOwnName(
  { report, project }: Pick<RuleContext, 'report' | 'project'>,
  [kind, key]: readonly [string, string],
  resource: Shape,
): void {
  const external = isOn(resource.external)
  const own = `${project.name}_${key}`
  const name = scalarText(resource.name) ?? (external ? key : own)
  if (!external && name === own) {
    return
  }
  const [rule, word] = OWNED[kind] ?? ['POL052', kind]
  report.deny(rule, [kind, key], {
    message: `${external ? 'external ' : ''}${word} "${name}" does not belong to app "${project.name}".`,
    fix: `Leave out "external" and "name": Compose then calls it "${own}".`,
  })
}

const OWNED: Readonly<Record<string, readonly [string, string]>> = {
  networks: ['POL050', 'network'],
  volumes: ['POL051', 'volume'],
  secrets: ['POL052', 'secret'],
  configs: ['POL052', 'config'],
}
