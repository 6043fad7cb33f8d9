import { createHash } from 'node:crypto'
import type { FoundContents, FoundPackage, FoundSystem } from './package-lists.ts'

export const BILL_MEDIA_TYPE = 'application/vnd.cyclonedx+json'

export interface BilledImage {
  readonly name: string
  readonly version: string
  /** `sha256:…` of its configuration: the same in every registry. */
  readonly imageId: string
}

/** A bill of materials in CycloneDX 1.6: the same text for the same image, so no time stands in it. */
export function billOfMaterials(image: BilledImage, { system, packages, unread }: FoundContents): string {
  const ref = `image:${image.imageId}`
  const [, hex = ''] = image.imageId.split(':')
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify([image, system, packages, unread]))}`,
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', name: 'fairlead' }] },
      component: {
        ...{ type: 'container', 'bom-ref': ref, name: image.name, version: image.version },
        hashes: [{ alg: 'SHA-256', content: hex }],
      },
      properties: unread.map(path => ({ name: 'fairlead:unread-package-list', value: path })),
    },
    components: [...(system ? [systemPart(system)] : []), ...packages.map(each => packagePart(each, system))],
    // What was copied into the image without a package says nothing of itself.
    compositions: [{ aggregate: 'incomplete', assemblies: [ref] }],
  }
  return `${JSON.stringify(bill, undefined, 1)}\n`
}

function systemPart({ id, version, name }: FoundSystem): object {
  return { type: 'operating-system', name: id, ...(version === '' ? {} : { version }), description: name }
}

function packagePart(found: FoundPackage, system: FoundSystem | undefined): object {
  const purl = purlOf(found, system)
  const { name, version, path } = found
  return {
    ...{ type: 'library', 'bom-ref': purl, name, version, purl },
    properties: [{ name: 'fairlead:said-by', value: `/${path}` }],
  }
}

/** As https://github.com/package-url/purl-spec says. */
function purlOf({ kind, name, version, arch }: FoundPackage, system: FoundSystem | undefined): string {
  const isOfSystem = kind === 'deb' || kind === 'apk'
  const place = isOfSystem ? `${quoted(system?.id ?? (kind === 'apk' ? 'alpine' : 'debian'))}/` : ''
  const query = arch === undefined ? '' : `?arch=${quoted(arch)}`
  return `pkg:${kind}/${place}${name.split('/').map(quoted).join('/')}@${quoted(version)}${query}`
}

function quoted(text: string): string {
  return encodeURIComponent(text).replaceAll('%3A', ':')
}

/** Version 8 of RFC 9562: made from the content alone. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
