/** What nobody else can have while a release runs. */
export interface Claims {
  /** Published, as `8080/tcp`; undefined: not known. */
  readonly ports: readonly string[] | undefined
  /** Names of services. */
  readonly services: readonly string[]
}
