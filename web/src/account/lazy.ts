// The account's pages, as the frame knows them: their code and texts are a chunk of their own.

import { lazily } from "../ui/lazy";

export const { Lazy: AccountPages, preload: preloadAccount } = lazily(async () => (await import("./pages")).AccountPages);
