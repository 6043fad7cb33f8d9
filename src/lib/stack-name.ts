/** Name of a stack, which is the name of its folder: Compose takes it for the name of the project too. */
export const STACK_NAME = '^[a-z0-9][a-z0-9_-]{0,62}$'
