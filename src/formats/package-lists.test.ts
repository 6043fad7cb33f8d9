import assert from 'node:assert/strict'
import { test } from 'node:test'
import { billOfMaterials } from './bill-of-materials.ts'
import { isPackageList, readPackageLists } from './package-lists.ts'
import { provenance } from './provenance.ts'

const DPKG = `Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u4
Description: a library
 of C
Depends: libgcc-s1

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

`
const FILES = [
  { path: 'usr/lib/os-release', text: 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n' },
  { path: 'var/lib/dpkg/status', text: DPKG },
  { path: 'var/lib/dpkg/status.d/tzdata', text: 'Package: tzdata\nVersion: 2024a\nArchitecture: all\n' },
  {
    path: 'lib/apk/db/installed',
    text: 'C:Q1\nP:musl\nV:1.2.5-r0\nA:x86_64\n\nC:Q2\nP:zlib\nV:1.3\nA:x86_64\n',
  },
  {
    path: 'opt/venv/lib/python3.12/site-packages/Foo_Bar-1.0.dist-info/METADATA',
    text: 'Metadata-Version: 2.1\r\nName: Foo_Bar\r\nVersion: 1.0\r\n\r\nName: not-this\r\n',
  },
  { path: 'app/node_modules/@a/b/package.json', text: '{"name": "@a/b", "version": "2.0.0"}' },
  { path: 'app/node_modules/@a/b/node_modules/c/package.json', text: '{"name": "c", "version": "3.0.0"}' },
  { path: 'usr/lib/node_modules/c/package.json', text: '{"name": "c", "version": "3.0.0"}' },
  { path: 'app/node_modules/broken/package.json', text: '{"name": ' },
  { path: 'app/node_modules/odd/package.json', text: '{"name": ["x"], "version": {}}' },
]
const IMAGE = { name: 'team/orders', version: '1.2.0', imageId: `sha256:${'a'.repeat(64)}` }

test('packages are read from what dpkg, apk, Python and npm leave in an image, each once, and a broken file is none', () => {
  const { system, packages, unread } = readPackageLists(FILES)
  assert.deepEqual(system, { id: 'debian', version: '12', name: 'Debian GNU/Linux 12' })
  assert.deepEqual(
    packages.map(({ kind, name, version, arch }) => [kind, name, version, arch].filter(Boolean).join(' ')),
    [
      'apk musl 1.2.5-r0 x86_64',
      'apk zlib 1.3 x86_64',
      'deb libc6 2.36-9+deb12u4 amd64',
      'deb tzdata 2024a all',
      'npm @a/b 2.0.0',
      'npm c 3.0.0',
      'pypi foo-bar 1.0',
    ],
  )
  assert.deepEqual(unread, [])
})

test('only lists of packages are read of an image, and one of rpm is told as not read', () => {
  for (const { path } of FILES) {
    assert.ok(isPackageList(path), path)
  }
  const others = [
    'etc/passwd',
    'app/package.json',
    'app/node_modules/c/lib/package.json',
    'app/node_modules/.package-lock.json',
    'var/lib/dpkg/status.d/base.md5sums',
    'var/lib/dpkg/info/status',
  ]
  assert.deepEqual(others.filter(isPackageList), [])
  const rpm = { path: 'var/lib/rpm/rpmdb.sqlite', text: 'SQLite format 3' }
  assert.ok(isPackageList(rpm.path))
  assert.deepEqual(readPackageLists([rpm]).unread, [rpm.path])
})

test('a bill of materials is CycloneDX 1.6 with what its schema requires, and the same text whatever order files came in', () => {
  const text = billOfMaterials(IMAGE, readPackageLists(FILES))
  assert.equal(billOfMaterials(IMAGE, readPackageLists(FILES.toReversed())), text)
  const bill = JSON.parse(text)
  assert.deepEqual([bill.bomFormat, bill.specVersion, bill.version], ['CycloneDX', '1.6', 1])
  assert.match(
    bill.serialNumber,
    /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  )
  assert.deepEqual(bill.metadata.component.hashes, [{ alg: 'SHA-256', content: 'a'.repeat(64) }])
  const { components } = bill as {
    components: { type: string; name: string; 'bom-ref'?: string; purl?: string }[]
  }
  assert.ok(components.every(({ type, name }) => /^(?:library|operating-system)$/.test(type) && name !== ''))
  const references = components.flatMap(each => each['bom-ref'] ?? [])
  assert.equal(new Set(references).size, references.length)
  const purls = components.map(({ purl }) => purl)
  assert.ok(purls.includes('pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64'))
  assert.ok(purls.includes('pkg:npm/%40a/b@2.0.0'))
  assert.ok(purls.includes('pkg:pypi/foo-bar@1.0'))
})

test('an image without any list has an empty bill, and another image has another serial number', () => {
  const empty = readPackageLists([])
  const one = JSON.parse(billOfMaterials(IMAGE, empty))
  const other = JSON.parse(billOfMaterials({ ...IMAGE, imageId: `sha256:${'b'.repeat(64)}` }, empty))
  assert.deepEqual([one.components, one.compositions[0].aggregate], [[], 'incomplete'])
  assert.notEqual(one.serialNumber, other.serialNumber)
})

test('provenance says source, Dockerfile and bases by digest, and of arguments and secrets their names alone', () => {
  const text = provenance({
    subject: { name: 'r.example/team/orders', digest: `sha256:${'d'.repeat(64)}` },
    ...{ origin: 'https://git.example/orders.git', commit: 'c'.repeat(40) },
    ...{ context: '.', dockerfile: 'Dockerfile', argNames: ['Z', 'A'], secretNames: ['TOKEN'] },
    bases: [{ reference: 'debian:12', digest: `sha256:${'e'.repeat(64)}` }, { reference: 'local/base' }],
  })
  const statement = JSON.parse(text)
  assert.equal(statement._type, 'https://in-toto.io/Statement/v1')
  assert.equal(statement.predicateType, 'https://slsa.dev/provenance/v1')
  assert.deepEqual(statement.subject, [{ name: 'r.example/team/orders', digest: { sha256: 'd'.repeat(64) } }])
  const { externalParameters, resolvedDependencies } = statement.predicate.buildDefinition
  assert.deepEqual([externalParameters.argNames, externalParameters.secretNames], [['A', 'Z'], ['TOKEN']])
  assert.deepEqual(resolvedDependencies, [
    { uri: 'git+https://git.example/orders.git', digest: { gitCommit: 'c'.repeat(40) } },
    { uri: 'oci://debian:12', digest: { sha256: 'e'.repeat(64) } },
    { uri: 'oci://local/base' },
  ])
  assert.ok(statement.predicate.runDetails.builder.id)
})
