// What went wrong with an answer that a page shows.

import { ApiError } from "../http";
import { text } from "../text";
import { ProblemAlert } from "../ui/problem";

/** What went wrong with a list, and the way on. */
export function ListProblem({ error, again }: { error: unknown; again: () => void }) {
  const signIn = error instanceof ApiError && error.problem.status === 401;
  return (
    <ProblemAlert error={error}>
      <button type="button" onClick={again}>
        {signIn ? text.value.account.signIn : text.value.again}
      </button>
    </ProblemAlert>
  );
}
