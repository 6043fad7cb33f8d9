/** What is bound into the sealed key of the way between managers. */
export function leaderKeyPlace(epoch = ''): string {
  return `leader/${epoch}/key`
}

/** What is bound into a sealed file that managers share. */
export function sharedFilePlace(name = ''): string {
  return `shared_files/${name}/content`
}
