/** What is there and not as a deployment left it. */
export interface DriftedParts {
  /** Ids. */
  readonly containers: readonly string[]
  /** Names. */
  readonly routes: readonly string[]
  /** Files and folders in the release folders, by the name of their content. */
  readonly files: readonly string[]
}
