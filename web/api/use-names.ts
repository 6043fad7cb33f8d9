import { computed, type Ref, watch } from 'vue'
import type { AppDocument } from '#contract/rest/apps.ts'
import type { RepositoryDocument } from '#contract/rest/repositories.ts'
import { nameSearch } from '#web/parts/name-search.ts'
import { get, type Page } from './client.ts'
import { getAll, MOST_ROWS } from './get-all.ts'
import { useQuery } from './use-query.ts'

/** Names of apps and repositories to choose from: those with the words in them. Of thousands of apps only some are given. */
export function useNames(words: Ref<string>) {
  const apps = useQuery(async signal => {
    const search = nameSearch(words.value)
    return await get<Page<AppDocument>>('/apps', { limit: MOST_ROWS, search }, signal)
  })
  const repositories = useQuery(signal => getAll<RepositoryDocument>('/repositories', signal))
  // What is shown stays until the answer is there.
  watch(words, () => void apps.reload())
  const part = computed(() => nameSearch(words.value) ?? '')
  const fits = (name: string) => name.includes(part.value)
  return {
    apps: computed(() => apps.data.value?.items.map(each => each.name) ?? []),
    repositories: computed(() => repositories.data.value?.map(each => each.name).filter(fits) ?? []),
    fits,
    /** Whether there is more than can be looked through without words. */
    isLong: computed(() => words.value !== '' || typeof apps.data.value?.next === 'string'),
    isLoading: computed(() => apps.isLoading.value || repositories.isLoading.value),
    error: computed(() => apps.error.value ?? repositories.error.value),
  }
}
