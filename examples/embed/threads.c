/*
** threads.c - one model, read by eight threads at once, as a server of requests would do it.
**
** With an installed lrn (docs/embedding.md):
**
**     cc threads.c -o threads -pthread $(pkg-config --cflags --libs lrn) \
**       -Wl,-rpath,$(pkg-config --variable=libdir lrn)
**     ./threads
**
** or, all examples of this folder, by its CMakeLists.txt:
**
**     cmake -S examples/embed -B embed -DCMAKE_PREFIX_PATH=/usr/local && cmake --build embed
**
** What to see here:
**   - inference only reads the model, so that no lock is needed; what a call writes, it writes to
**     a workspace, and each thread has its own;
**   - results do not depend on who computes them: every thread gets the bits that one alone gets;
**   - a view per thread lets each free what it holds, in any order; the memory goes with the last;
**   - the message of a failure belongs to the thread that failed.
*/
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lrn.h>

#define TRY(call)                                                                        \
  do {                                                                                   \
    status = (call);                                                                     \
    if (status != LRN_OK)                                                                \
      goto done;                                                                         \
  } while (0)

enum { THREADS = 8, REQUESTS = 25, VISIBLE = 64, HIDDEN = 48, ROWS = 200, BATCH = 64 };

/* What a request wants to know of ROWS rows. */
typedef struct answer {
  float energy[ROWS], mean[ROWS * HIDDEN], state[ROWS * HIDDEN], filled[ROWS * VISIBLE];
} answer;

static lrn_rbm *model; /* written by main before the threads start, and read by them */

/* Free energies, hidden means and states, and reconstructions of data, written straight into *a.
   work: the caller's own. Samples are numbered by the calls that a workspace has seen; set back to
   0, the same request draws the same states. */
static int ask(answer *a, lrn_work *work, const lrn_tensor *data) {
  const int64_t rows = ROWS, hidden[2] = {ROWS, HIDDEN}, visible[2] = {ROWS, VISIBLE};
  lrn_tensor *energy = NULL, *mean = NULL, *state = NULL, *filled = NULL;
  lrn_state at;
  double error;
  int status;
  lrn_work_get_state(work, &at);
  at.calls = 0;
  lrn_work_set_state(work, &at);
  TRY(lrn_tensor_wrap(&energy, a->energy, LRN_F32, 1, &rows, NULL, NULL, NULL));
  TRY(lrn_tensor_wrap(&mean, a->mean, LRN_F32, 2, hidden, NULL, NULL, NULL));
  TRY(lrn_tensor_wrap(&state, a->state, LRN_F32, 2, hidden, NULL, NULL, NULL));
  TRY(lrn_tensor_wrap(&filled, a->filled, LRN_F32, 2, visible, NULL, NULL, NULL));
  TRY(lrn_rbm_free_energy(model, work, energy, data));
  TRY(lrn_rbm_hidden(model, work, mean, state, data));
  TRY(lrn_rbm_reconstruct(model, work, &error, NULL, filled, data, 0));
done:
  lrn_tensor_free(energy);
  lrn_tensor_free(mean);
  lrn_tensor_free(state);
  lrn_tensor_free(filled);
  return status;
}

typedef struct worker {
  pthread_t thread;
  lrn_tensor *data;     /* a view of its own, freed by it */
  const answer *expect; /* of one thread alone */
  int status, different;
  char message[256];
} worker;

static void *serve(void *argument) {
  worker *self = argument;
  lrn_work *work = NULL;
  answer *a = calloc(1, sizeof *a);
  int i, status = LRN_ENOMEM;
  if (a == NULL)
    goto done;
  TRY(lrn_work_new(&work, model, BATCH, 0));
  for (i = 0; i < REQUESTS; i++) {
    memset(a, 0, sizeof *a);
    TRY(ask(a, work, self->data));
    self->different += memcmp(a, self->expect, sizeof *a) != 0;
  }
done:
  self->status = status;
  if (status != LRN_OK) /* for main, which has a message of its own */
    snprintf(self->message, sizeof self->message, "%s", lrn_error_message());
  lrn_work_free(work);
  lrn_tensor_free(self->data);
  free(a);
  return NULL;
}

/* A model that has learned some rows of zeros and ones. */
static int train(const lrn_tensor *data) {
  lrn_rbm_options options;
  lrn_work *work = NULL;
  int status, epoch;
  int64_t first;
  lrn_rbm_defaults(&options);
  options.n_visible = VISIBLE;
  options.n_hidden = HIDDEN;
  TRY(lrn_rbm_new(&model, &options));
  TRY(lrn_work_new(&work, model, BATCH, LRN_WORK_TRAIN));
  TRY(lrn_rbm_prepare(model, work, data));
  for (epoch = 0; epoch < 10; epoch++)
    for (first = 0; first < ROWS; first += BATCH) {
      lrn_batch batch = {.data = data, .first = first,
                         .count = ROWS - first < BATCH ? ROWS - first : BATCH};
      TRY(lrn_rbm_step(model, work, &batch));
    }
done:
  lrn_work_free(work);
  return status;
}

int main(void) {
  const int64_t size[2] = {ROWS, VISIBLE};
  const lrn_key key = {1, 0, LRN_STREAM_USER, 0, 0};
  static answer expect;
  worker workers[THREADS];
  lrn_tensor *data = NULL;
  lrn_work *work = NULL;
  int status, i, started = 0, wrong = 0;

  memset(workers, 0, sizeof workers);
  TRY(lrn_tensor_new(&data, LRN_F32, 2, size, NULL));
  TRY(lrn_random(data, LRN_BERNOULLI, 0.3, 0, key));
  TRY(train(data));

  TRY(lrn_set_threads(1)); /* what one thread alone says */
  TRY(lrn_work_new(&work, model, BATCH, 0));
  TRY(ask(&expect, work, data));
  TRY(lrn_set_threads(2)); /* lrn's own pool may help whoever finds it free */

  for (; started < THREADS; started++) {
    workers[started].expect = &expect;
    TRY(lrn_tensor_alias(&workers[started].data, data));
    if (pthread_create(&workers[started].thread, NULL, serve, &workers[started]) != 0) {
      lrn_tensor_free(workers[started].data);
      break;
    }
  }
  lrn_tensor_free(data); /* the threads hold their views */
  data = NULL;

done:
  if (status != LRN_OK)
    fprintf(stderr, "threads: %s (%s)\n", lrn_error_message(), lrn_status_name(status));
  for (i = 0; i < started; i++) {
    pthread_join(workers[i].thread, NULL);
    if (workers[i].status != LRN_OK)
      fprintf(stderr, "threads: thread %d: %s\n", i, workers[i].message);
    wrong += workers[i].status != LRN_OK || workers[i].different != 0;
  }
  lrn_tensor_free(data);
  lrn_work_free(work);
  lrn_rbm_free(model);
  if (status == LRN_OK)
    printf("%d threads, %d requests of %d rows each: %d threads with other bits than one alone\n",
           started, REQUESTS, ROWS, wrong);
  return status == LRN_OK && started == THREADS && wrong == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
