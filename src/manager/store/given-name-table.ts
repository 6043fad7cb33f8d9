/** Names that a deployment was to give to an image of its app, so that nobody's names are taken when they are freed. */
export interface GivenNameTable {
  host: string
  engine: string
  app: string
  name: string
}
