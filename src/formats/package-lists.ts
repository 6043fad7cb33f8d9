/** One package that an image says it has. */
export interface FoundPackage {
  readonly kind: 'deb' | 'apk' | 'pypi' | 'npm'
  readonly name: string
  readonly version: string
  readonly arch?: string
  /** The file that says so. */
  readonly path: string
}

export interface FoundSystem {
  /** `debian`, `alpine` … */
  readonly id: string
  readonly version: string
  readonly name: string
}

export interface FoundContents {
  readonly system: FoundSystem | undefined
  /** Each once, in a fixed order. */
  readonly packages: readonly FoundPackage[]
  /** Lists of packages that are there and are not read. */
  readonly unread: readonly string[]
}

interface ContentFile {
  /** From the root of the image, without a slash in front. */
  readonly path: string
  readonly text: string
}

const SYSTEM = /^(?:etc|usr\/lib)\/os-release$/
const RPM = /^(?:var\/lib\/rpm|usr\/(?:lib\/sysimage|share)\/rpm)\/(?:rpmdb\.sqlite|Packages(?:\.db)?)$/

const LISTS: readonly {
  readonly path: RegExp
  readonly read: (file: ContentFile) => readonly FoundPackage[]
}[] = [
  { path: /^var\/lib\/dpkg\/(?:status|status\.d\/[^/]+(?<!\.md5sums))$/, read: readDpkg },
  { path: /^(?:usr\/)?lib\/apk\/db\/installed$/, read: readApk },
  { path: /(?:^|\/)[^/]+(?:\.dist-info\/METADATA|\.egg-info\/PKG-INFO)$/, read: readPython },
  { path: /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@][^/]*\/package\.json$/, read: readNpm },
]

/** Whether a file of an image tells what is in it. */
export function isPackageList(path: string): boolean {
  return SYSTEM.test(path) || RPM.test(path) || LISTS.some(list => list.path.test(path))
}

/** What these files say. Nobody vouches for them but who made the image; a file that makes no sense says nothing. */
export function readPackageLists(files: readonly ContentFile[]): FoundContents {
  const packages = files.flatMap(file => LISTS.find(({ path }) => path.test(file.path))?.read(file) ?? [])
  const byKey = new Map(
    packages
      .filter(({ name, version }) => isPlain(name) && isPlain(version))
      .map(each => [JSON.stringify([each.kind, each.name, each.version, each.arch]), each] as const)
      // The file that is named is the same whatever order they came in.
      .sort(([a, one], [b, other]) => compare(a, b) || compare(other.path, one.path)),
  )
  const systems = files.filter(({ path }) => SYSTEM.test(path)).sort((a, b) => compare(a.path, b.path))
  return {
    system: systems.map(readSystem).find(system => system !== undefined),
    packages: [...byKey.values()],
    unread: files
      .filter(({ path }) => RPM.test(path))
      .map(({ path }) => path)
      .sort(compare),
  }
}

function isPlain(text: string): boolean {
  return text !== '' && text.length <= 300 && !/\p{Cc}/u.test(text)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function readSystem({ text }: ContentFile): FoundSystem | undefined {
  const values = new Map(
    text.split('\n').flatMap(line => {
      const [, key, value = ''] = /^([A-Z_]+)=(.*)$/.exec(line) ?? []
      return key === undefined ? [] : [[key, value.replace(/^(["'])(.*)\1$/, '$2')] as const]
    }),
  )
  const id = values.get('ID') ?? ''
  return isPlain(id)
    ? { id, version: values.get('VERSION_ID') ?? '', name: values.get('PRETTY_NAME') ?? id }
    : undefined
}

/** Paragraphs of `Key: value`; lines that begin with a blank go on with the value before. */
function paragraphs(text: string): readonly ReadonlyMap<string, string>[] {
  return text.split(/\n\s*\n/).map(
    paragraph =>
      new Map(
        paragraph.split('\n').flatMap(line => {
          const [, key, value = ''] = /^([A-Za-z][\w-]*):\s?(.*)$/.exec(line) ?? []
          return key === undefined ? [] : [[key.toLowerCase(), value.trim()] as const]
        }),
      ),
  )
}

function readDpkg({ path, text }: ContentFile): readonly FoundPackage[] {
  return paragraphs(text).flatMap(fields => {
    const status = fields.get('status')
    const isInstalled = status === undefined || / installed$/.test(status)
    return isInstalled ? packageOf('deb', path, fields) : []
  })
}

function readApk({ path, text }: ContentFile): readonly FoundPackage[] {
  return text.split(/\n\n+/).flatMap(block => {
    const field = (letter: string) => new RegExp(`^${letter}:(.*)$`, 'm').exec(block)?.[1]?.trim() ?? ''
    const arch = field('A')
    const found = { kind: 'apk', name: field('P'), version: field('V'), path } as const
    return found.name === '' ? [] : [{ ...found, ...(arch === '' ? {} : { arch }) }]
  })
}

function readPython({ path, text }: ContentFile): readonly FoundPackage[] {
  const [head] = paragraphs(text.replaceAll('\r\n', '\n'))
  return head
    ? packageOf('pypi', path, head).map(found => ({
        ...found,
        name: found.name.toLowerCase().replace(/[-_.]+/g, '-'),
      }))
    : []
}

function readNpm({ path, text }: ContentFile): readonly FoundPackage[] {
  try {
    const { name, version } = (JSON.parse(text) ?? {}) as { name?: unknown; version?: unknown }
    return typeof name === 'string' && typeof version === 'string'
      ? [{ kind: 'npm', name, version, path }]
      : []
  } catch {
    return []
  }
}

function packageOf(
  kind: 'deb' | 'pypi',
  path: string,
  fields: ReadonlyMap<string, string>,
): readonly FoundPackage[] {
  const [name, version, arch] = [
    fields.get(kind === 'deb' ? 'package' : 'name'),
    fields.get('version'),
    fields.get('architecture'),
  ]
  return name === undefined || version === undefined
    ? []
    : [{ kind, name, version, path, ...(kind === 'deb' && arch !== undefined ? { arch } : {}) }]
}
