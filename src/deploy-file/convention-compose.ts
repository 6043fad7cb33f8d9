import { posix } from 'node:path'
import { mergedOf } from './yaml-merge.ts'
import { readYaml } from './yaml-text.ts'

/** What a stack is made of beside its Compose files, as far as these say it by themselves. */
export interface ComposeInputs {
  /** Files and folders from the root of the repository; `**` when they cannot be told. */
  readonly paths: readonly string[]
  /** References of the images that services run. */
  readonly images: readonly string[]
}

export const EVERYTHING = '**'

/**
 * All that Compose and the builds take from the tree: build contexts, files of the environment and of labels, mounts,
 * configs, secrets, and the same of services that are extended. Whatever is not known here may lead anywhere, and so do
 * variables in paths, `include`, and files whose text nobody read: then every push counts, and none is missed.
 *
 * Paths of merged files begin at the folder of the first.
 */
export function composeInputs(
  files: readonly string[],
  texts: Readonly<Record<string, string>>,
): ComposeInputs {
  const found: Found = { paths: new Set(), images: new Set(), texts, walked: new Set() }
  const folder = posix.dirname(files[0] ?? '.')
  for (const file of files) {
    walkFile({ found, folder }, file)
  }
  const paths = [...found.paths].sort()
  return {
    paths: paths.includes(EVERYTHING) ? [EVERYTHING] : paths,
    images: [...found.images].sort(),
  }
}

interface Found {
  readonly paths: Set<string>
  readonly images: Set<string>
  readonly texts: Readonly<Record<string, string>>
  /** Files, each with the folder at which its paths begin. */
  readonly walked: Set<string>
}

interface Place {
  readonly found: Found
  /** Where relative paths begin. */
  readonly folder: string
}

/** What is done with the value of a key; a key that is not in the table widens. */
type Keys = Readonly<Record<string, (place: Place, value: unknown) => void>>

const MOST_FILES = 50

function walkFile(place: Place, file: string): void {
  const { found } = place
  const key = `${place.folder} ${file}`
  if (found.walked.has(key)) {
    return
  }
  found.walked.add(key)
  const text = Object.hasOwn(found.texts, file) ? found.texts[file] : undefined
  const { value, problems } = text === undefined ? { value: undefined, problems: [] } : readYaml(text)
  if (value === undefined || problems.length > 0 || found.walked.size > MOST_FILES) {
    widen(place)
    return
  }
  walk(place, value, TOP)
}

function walk(place: Place, value: unknown, keys: Keys): void {
  const model = mergedOf(value)
  if (!model) {
    widen(place)
    return
  }
  for (const [key, each] of Object.entries(model)) {
    const look = Object.hasOwn(keys, key) ? keys[key] : undefined
    if (look) {
      look(place, each)
    } else if (!key.startsWith('x-')) {
      widen(place)
    }
  }
}

function widen({ found }: Place): void {
  found.paths.add(EVERYTHING)
}

const nothing = (): void => {}

function takingNothing(...keys: readonly string[]): Keys {
  return Object.fromEntries(keys.map(key => [key, nothing]))
}

/** Of each value of a map: what its keys say. */
function eachOf(keys: Keys): (place: Place, value: unknown) => void {
  return (place, value) => {
    const group = value === null ? {} : mergedOf(value)
    if (!group) {
      widen(place)
    }
    for (const each of Object.values(group ?? {})) {
      if (each !== null) {
        walk(place, each, keys)
      }
    }
  }
}

function addPath(place: Place, path: unknown): void {
  if (path === null || path === '') {
    return
  }
  if (typeof path !== 'string' || path.includes('$') || path.startsWith('oci-layout:')) {
    widen(place)
    return
  }
  if (isElsewhere(path)) {
    return
  }
  const whole = posix.normalize(posix.join(place.folder, path)).replace(/\/$/, '')
  place.found.paths.add(whole === '.' || whole.startsWith('..') ? EVERYTHING : whole)
}

/** Not in the tree: a URL, another repository, an image, a place on the host. */
function isElsewhere(path: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|docker-image:|service:|\/|~)/i.test(path)
}

/** A text, or several; those with more to say have a `path`. */
function addFiles(place: Place, value: unknown): void {
  for (const each of [value].flat()) {
    addPath(place, mergedOf(each)?.path ?? each)
  }
}

function addBuild(place: Place, value: unknown): void {
  if (value === null || typeof value === 'string') {
    addPath(place, value === '' ? '.' : value)
    return
  }
  walk(place, value, BUILD)
  const { context = '.', dockerfile } = mergedOf(value) ?? {}
  addPath(place, context)
  if (dockerfile !== undefined && typeof context === 'string' && !isElsewhere(context)) {
    const file = typeof dockerfile === 'string' ? posix.join(context, dockerfile) : dockerfile
    addPath(place, file)
    if (typeof dockerfile === 'string' && posix.normalize(dockerfile).startsWith('../')) {
      addPath(place, `${file}.dockerignore`)
    }
  }
}

/** As a map, or as `name=where`. */
function addContexts(place: Place, value: unknown): void {
  const wheres = Array.isArray(value)
    ? value.map(each => String(each).replace(/^[^=]*=/, ''))
    : Object.values(mergedOf(value) ?? { unknown: value })
  for (const where of wheres) {
    addPath(place, where)
  }
}

function addBase(place: Place, value: unknown): void {
  const { file } = typeof value === 'string' ? {} : (mergedOf(value) ?? { file: value })
  if (file === undefined) {
    // It names a service of the same file.
    return
  }
  addPath(place, file)
  if (typeof file === 'string' && !file.includes('$')) {
    const whole = posix.normalize(posix.join(place.folder, file))
    walkFile({ ...place, folder: posix.dirname(whole) }, whole)
  }
}

/** Mounts of files of the tree; a name without a slash is a volume. */
function addMounts(place: Place, value: unknown): void {
  for (const each of Array.isArray(value) ? value : [undefined]) {
    const mount = mergedOf(each)
    if (mount ? mount.type !== 'volume' && mount.type !== 'tmpfs' : typeof each !== 'string') {
      addPath(place, mount ? (mount.source ?? null) : each)
    } else if (typeof each === 'string' && /^(?:\.|[^:]*\$)/.test(each)) {
      addPath(place, each.split(':')[0])
    }
  }
}

function addImage({ found }: Place, value: unknown): void {
  if (typeof value === 'string') {
    found.images.add(value)
  }
}

const BUILD: Keys = {
  // Both are looked at together.
  ...takingNothing('context', 'dockerfile'),
  additional_contexts: addContexts,
  ...takingNothing('dockerfile_inline', 'args', 'target', 'labels', 'tags', 'network', 'platforms'),
  ...takingNothing('no_cache', 'pull', 'cache_from', 'cache_to', 'shm_size', 'ulimits', 'extra_hosts'),
  // Those of a build are named at the top, those of SSH are the host's.
  ...takingNothing('secrets', 'ssh', 'privileged', 'entitlements', 'isolation', 'provenance', 'sbom'),
}

const SERVICE: Keys = {
  build: addBuild,
  image: addImage,
  extends: addBase,
  env_file: addFiles,
  label_file: addFiles,
  volumes: addMounts,
  ...takingNothing('command', 'entrypoint', 'environment', 'working_dir', 'user', 'init', 'tty'),
  ...takingNothing('stdin_open', 'hostname', 'domainname', 'container_name', 'labels', 'annotations'),
  ...takingNothing('platform', 'pull_policy', 'profiles', 'attach', 'restart', 'healthcheck', 'depends_on'),
  ...takingNothing('stop_signal', 'stop_grace_period', 'post_start', 'pre_stop', 'logging', 'ports'),
  ...takingNothing('expose', 'networks', 'network_mode', 'mac_address', 'links', 'external_links'),
  ...takingNothing('extra_hosts', 'dns', 'dns_opt', 'dns_search', 'tmpfs', 'secrets', 'configs', 'deploy'),
  ...takingNothing('scale', 'mem_limit', 'mem_reservation', 'memswap_limit', 'mem_swappiness', 'cpus'),
  ...takingNothing('cpu_count', 'cpu_percent', 'cpu_period', 'cpu_quota', 'cpu_shares', 'cpuset'),
  ...takingNothing('cpu_rt_period', 'cpu_rt_runtime', 'blkio_config', 'storage_opt', 'pids_limit'),
  ...takingNothing('shm_size', 'ulimits', 'sysctls', 'cap_add', 'cap_drop', 'security_opt', 'read_only'),
  ...takingNothing('group_add', 'privileged', 'devices', 'device_cgroup_rules', 'gpus', 'pid', 'ipc', 'uts'),
  ...takingNothing('cgroup', 'cgroup_parent', 'userns_mode', 'runtime', 'isolation', 'volumes_from'),
  ...takingNothing('oom_kill_disable', 'oom_score_adj', 'use_api_socket'),
  // Nothing is synchronised by a deployment.
  ...takingNothing('develop'),
}

const CONTENT: Keys = {
  file: addPath,
  ...takingNothing('environment', 'content', 'external', 'name', 'labels', 'driver', 'driver_opts'),
  ...takingNothing('template_driver'),
}

const TOP: Keys = {
  services: eachOf(SERVICE),
  configs: eachOf(CONTENT),
  secrets: eachOf(CONTENT),
  ...takingNothing('name', 'version', 'networks', 'volumes'),
}
