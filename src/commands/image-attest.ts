import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { type Static, Type } from 'typebox'
import { BILL_MEDIA_TYPE, billOfMaterials } from '#formats/bill-of-materials.ts'
import { imageName, parseReference } from '#formats/image-reference.ts'
import { PROVENANCE_MEDIA_TYPE, provenance } from '#formats/provenance.ts'
import { asFairleadError } from '#lib/errors.ts'
import { type ImageFacts, inspectImage } from '#programs/docker-images.ts'
import { defineCommand, type Hands } from './command.ts'
import { AppName, CommitId, ImageName, LABEL } from './container-data.ts'
import { basesOf, contentsOf } from './image-contents.ts'
import { BuildName, BuildTarget, RepositoryKey, TreePath } from './image-data.ts'
import { IMAGE_NOT_FOUND } from './image-errors.ts'
import { PublishedName } from './image-published.ts'
import { attachTo } from './registry-attach.ts'

const strict = { additionalProperties: false } as const
/** Packed. What is larger is in the registry alone. */
const MOST_PACKED = 256 * 1024

const Digest = Type.String({ pattern: '^sha256:[0-9a-f]{64}$' })

const AttestData = Type.Object(
  {
    app: AppName,
    /** What the image is called on this host. */
    image: ImageName,
    serviceName: Type.String({ minLength: 1, maxLength: 200 }),
    version: Type.String({ minLength: 1, maxLength: 128 }),
    source: Type.Object(
      {
        repository: RepositoryKey,
        /** Address of the repository, without an account. */
        origin: Type.String({ minLength: 1, maxLength: 2_048 }),
        commit: CommitId,
        context: TreePath,
        dockerfile: TreePath,
        target: Type.Optional(BuildTarget),
        args: Type.Record(BuildName, Type.String({ maxLength: 16_384 })),
        secretNames: Type.Array(BuildName, { maxItems: 32 }),
      },
      strict,
    ),
    /** With the digest that the registry answered. */
    references: Type.Array(Type.Object({ ...PublishedName, digest: Digest }, strict), {
      minItems: 1,
      maxItems: 32,
    }),
  },
  strict,
)
type AttestData = Static<typeof AttestData>

const Kind = Type.Union([Type.Literal('sbom'), Type.Literal('provenance')])

const Attachment = Type.Object(
  {
    reference: Type.String(),
    /** `host/repository@sha256:…` */
    place: Type.String(),
    manifests: Type.Array(Type.String()),
    /** Why there are none. */
    problem: Type.Optional(Type.String()),
  },
  strict,
)
type Attachment = Static<typeof Attachment>

const AttestResult = Type.Object(
  {
    documents: Type.Array(
      Type.Object(
        {
          kind: Kind,
          mediaType: Type.String(),
          /** Of the text: as it is found in the registry as a layer. */
          digest: Type.String(),
          bytes: Type.Integer(),
          /** The text, gzip in base64; absent when it is too large to be kept twice. */
          packed: Type.Optional(Type.String()),
        },
        strict,
      ),
    ),
    /** Manifests in the registries, in the order of the documents. */
    attached: Type.Array(Attachment),
    packages: Type.Integer(),
    unread: Type.Array(Type.String()),
  },
  strict,
)
export type AttestResult = Static<typeof AttestResult>

export const imageAttest = defineCommand({
  name: 'image.attest',
  summary:
    'Tells what an image is made of, from the package lists in it and without running it, and how it was made, and puts both beside it in its registries.',
  role: 'worker',
  data: AttestData,
  result: AttestResult,
  deadlineMs: 300_000,
  lock: data => `attest:${data.image}`,
  run: attest,
})

async function attest(hands: Hands, data: AttestData): Promise<AttestResult> {
  const image = await hands.perform(inspectImage(hands.host.dockerSocket, data.image))
  if (!image) {
    throw IMAGE_NOT_FOUND(data.image)
  }
  const [contents, bases] = await Promise.all([
    contentsOf(hands, data.app, image.id),
    basesOf(hands, data.source),
  ])
  const bill = billOfMaterials({ name: data.serviceName, version: data.version, imageId: image.id }, contents)
  for (const path of contents.unread) {
    hands.say(`/${path} is a list of packages in a form that is not read: its packages are missing`, 'stderr')
  }
  const commit = commitOf(image, data)
  const attached: Attachment[] = []
  const statements: string[] = []
  for (const reference of data.references) {
    const statement = statementOf(data, { reference, commit, bases })
    statements.push(statement)
    attached.push(await attachedTo(hands, { reference, statement, bill, before: attached }))
  }
  hands.say(`${data.image}: ${contents.packages.length} packages are in its bill of materials`, 'info')
  return {
    documents: [
      documentOf('sbom', BILL_MEDIA_TYPE, bill),
      documentOf('provenance', PROVENANCE_MEDIA_TYPE, statements[0] ?? ''),
    ],
    attached,
    packages: contents.packages.length,
    unread: [...contents.unread],
  }
}

function documentOf(kind: Static<typeof Kind>, mediaType: string, text: string) {
  const packed = gzipSync(text).toString('base64')
  return {
    ...{ kind, mediaType, bytes: Buffer.byteLength(text) },
    digest: `sha256:${createHash('sha256').update(text).digest('hex')}`,
    ...(packed.length <= MOST_PACKED ? { packed } : {}),
  }
}

type Reference = AttestData['references'][number]

/** Where a registry has it: tags of one repository share what is said of their image. */
function placeOf({ reference, digest }: Reference): { name: string; repository: string; place: string } {
  const parsed = parseReference(reference)
  const name = parsed ? imageName(parsed) : reference
  return { name, repository: parsed?.repository ?? '', place: `${name}@${digest}` }
}

interface Attaching {
  readonly reference: Reference
  readonly statement: string
  readonly bill: string
  readonly before: readonly Attachment[]
}

/** A registry that takes nothing beside an image does not keep the others from it. */
async function attachedTo(
  hands: Hands,
  { reference, statement, bill, before }: Attaching,
): Promise<Attachment> {
  const { registry, isUnvouched, digest } = reference
  const { repository, place } = placeOf(reference)
  const same = before.find(each => each.place === place)
  if (same) {
    return { ...same, reference: reference.reference }
  }
  const question = {
    ...{ registry, repository, reference: digest },
    isUnvouched: isUnvouched && !hands.host.policy.registries.includes(registry.address),
  }
  try {
    const manifests = await attachTo(hands, question, [
      { mediaType: BILL_MEDIA_TYPE, text: bill },
      { mediaType: PROVENANCE_MEDIA_TYPE, text: statement },
    ])
    return { reference: reference.reference, place, manifests: [...manifests] }
  } catch (error) {
    hands.signal.throwIfAborted()
    const { message, hint } = asFairleadError(error)
    hands.say(`warning: nothing is kept beside ${reference.reference}: ${message} ${hint}`, 'stderr')
    return { reference: reference.reference, place, manifests: [], problem: message }
  }
}

/** Of the build: the content may have been built from an earlier commit, and is the same. */
function commitOf({ labels }: ImageFacts, { source }: AttestData): string {
  const labelled = labels[LABEL.commit] ?? ''
  return /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(labelled) ? labelled : source.commit
}

interface Stated {
  readonly reference: Reference
  readonly commit: string
  readonly bases: Awaited<ReturnType<typeof basesOf>>
}

function statementOf({ source }: AttestData, { reference, commit, bases }: Stated): string {
  const { origin, context, dockerfile, target, args, secretNames } = source
  return provenance({
    ...{ subject: { name: placeOf(reference).name, digest: reference.digest }, origin, commit, bases },
    ...{ context, dockerfile, target, secretNames, argNames: Object.keys(args) },
  })
}
