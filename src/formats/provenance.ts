export const PROVENANCE_MEDIA_TYPE = 'application/vnd.in-toto+json'

const BUILDER = 'urn:fairlead:builder'

export interface ProvenanceFacts {
  /** The image: its name without a tag, and the digest that the registry gave. */
  readonly subject: { readonly name: string; readonly digest: string }
  /** Of the repository, without an account. */
  readonly origin: string
  readonly commit: string
  readonly context: string
  readonly dockerfile: string
  readonly target?: string | undefined
  /** Names alone: what a value says is for nobody. */
  readonly argNames: readonly string[]
  readonly secretNames: readonly string[]
  readonly bases: readonly { readonly reference: string; readonly digest?: string | undefined }[]
}

/** How an image came to be: an in-toto statement (v1) with a predicate of SLSA provenance (v1). */
export function provenance(facts: ProvenanceFacts): string {
  const { subject, origin, commit, context, dockerfile, target, argNames, secretNames, bases } = facts
  const [, hex = ''] = subject.digest.split(':')
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: subject.name, digest: { sha256: hex } }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'urn:fairlead:dockerfile:v1',
        externalParameters: {
          ...{ repository: origin, commit, context, dockerfile },
          ...(target === undefined ? {} : { target }),
          ...{ argNames: [...argNames].sort(), secretNames: [...secretNames].sort() },
        },
        resolvedDependencies: [
          { uri: `git+${origin}`, digest: { gitCommit: commit } },
          ...bases.map(({ reference, digest }) => ({
            uri: `oci://${reference}`,
            ...(digest === undefined ? {} : { digest: { sha256: digest.split(':')[1] ?? '' } }),
          })),
        ],
      },
      // No time and no deployment: what the same image is said of is the same text.
      runDetails: { builder: { id: BUILDER } },
    },
  }
  return `${JSON.stringify(statement, undefined, 1)}\n`
}
