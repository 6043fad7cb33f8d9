/** Apps whose files want them no more, and which go on until a person agrees. */
export interface HeldRemovalTable {
  app_id: string
  /** `many`: with most of their repository; `moved`: with all of it, since it is read from another place. */
  why: 'many' | 'moved' | 'approval'
  /** The commit whose files wanted it first. */
  tip: string
  created_at: number
  /** Name of the token of who agreed; null: it waits. */
  allowed_by: string | null
  allowed_at: number | null
}
