/*
** train.c - a program in C that trains a restricted Boltzmann machine: no Lua, lrn.h only.
**
** With an installed lrn (docs/embedding.md):
**
**     cc train.c -o train $(pkg-config --cflags --libs lrn) \
**       -Wl,-rpath,$(pkg-config --variable=libdir lrn)
**     ./train [images.idx.gz [model.safetensors]]
**
** or, all examples of this folder, by its CMakeLists.txt:
**
**     cmake -S examples/embed -B embed -DCMAKE_PREFIX_PATH=/usr/local && cmake --build embed
**
** Without images it learns bars and stripes of 4 x 4 pixels (D. MacKay, Information Theory,
** Inference, and Learning Algorithms, 2003, section 43.3). It prints the errors of each epoch, saves
** the model, loads it back, and checks that both give the same. With images (IDX, 28 x 28 digits
** for example) it learns those.
**
** What to see here:
**   - each call returns a status; TRY shows the one way to handle it, a jump to the cleanup;
**   - whatever a function whose name ends in _new, _load or in a view verb gave is freed by us,
**     here at `done`, where free functions accept NULL;
**   - a model holds parameters, a workspace all that training needs besides.
*/
#include <stdio.h>
#include <stdlib.h>

#include <lrn.h>

#define TRY(call)                                                                        \
  do {                                                                                   \
    status = (call);                                                                     \
    if (status != LRN_OK)                                                                \
      goto done;                                                                         \
  } while (0)

enum { SIDE = 4, PIXELS = SIDE * SIDE, PATTERNS = 1 << SIDE };

/* All patterns whose rows (bars) or columns (stripes) are on or off as a whole: 2 x 16 rows of
   16 pixels, the two uniform ones twice. uint8: the model reads value / 255. */
static int bars_and_stripes(lrn_tensor **out) {
  const int64_t size[2] = {2 * PATTERNS, PIXELS};
  unsigned char *pixel;
  int pattern, row, column;
  int status = lrn_tensor_new(out, LRN_U8, 2, size, NULL);
  if (status != LRN_OK)
    return status;
  pixel = lrn_tensor_data(*out); /* a new tensor is contiguous */
  for (pattern = 0; pattern < PATTERNS; pattern++)
    for (row = 0; row < SIDE; row++)
      for (column = 0; column < SIDE; column++) {
        int at = row * SIDE + column;
        pixel[pattern * PIXELS + at] = pattern >> row & 1 ? 255 : 0;
        pixel[(PATTERNS + pattern) * PIXELS + at] = pattern >> column & 1 ? 255 : 0;
      }
  return LRN_OK;
}

/* One epoch over the rows of data in an order that depends on seed and epoch alone. */
static int train_epoch(lrn_rbm *model, lrn_work *work, const lrn_tensor *data,
                       lrn_tensor *order, int64_t batch, int64_t epoch) {
  int64_t rows = lrn_tensor_size(data, 0), first;
  lrn_key key = {0};
  lrn_state means;
  int status;
  key.seed = lrn_rbm_get_options(model)->seed;
  key.stream = LRN_STREAM_SHUFFLE;
  key.step = (uint64_t)epoch;
  TRY(lrn_permutation(order, 0, key));
  for (first = 0; first < rows; first += batch) {
    int64_t count = rows - first < batch ? rows - first : batch;
    TRY(lrn_rbm_step(model, work, &(lrn_batch){.data = data, .idx = order, .first = first, .count = count}));
  }
  TRY(lrn_work_end_epoch(work, &means));
  /* error: |v - P(v = 1 | h)|^2 summed over the units; mse: the same from sampled states;
     pl: pseudo-log-likelihood, which training should raise. */
  printf("epoch %3lld  mse %8.4f  error %8.4f  pl %9.4f\n", (long long)epoch, means.mse,
         means.error, means.pl);
done:
  return status;
}

/* Mean error of reconstructing data, by hidden means: no random number takes part, so that equal
   models give equal errors, bit for bit. */
static int reconstruction_error(double *error, const lrn_rbm *model,
                                const lrn_tensor *data) {
  lrn_work *work = NULL; /* inference needs a small workspace of its own */
  int status;
  TRY(lrn_work_new(&work, model, 100, 0));
  TRY(lrn_rbm_reconstruct(model, work, error, NULL, NULL, data, 1));
done:
  lrn_work_free(work);
  return status;
}

static int save(const char *path, const lrn_rbm *model, const lrn_work *work) {
  lrn_file *file = NULL;
  int status;
  TRY(lrn_file_new(&file));
  TRY(lrn_rbm_store(file, model, work)); /* with work, so that training could go on */
  TRY(lrn_file_save(file, path));
done:
  lrn_file_free(file);
  return status;
}

static int load(lrn_rbm **model, lrn_work **work, const char *path) {
  lrn_file *file = NULL;
  int status;
  TRY(lrn_file_load(&file, path));
  TRY(lrn_rbm_restore(model, work, file, NULL));
done:
  lrn_file_free(file);
  return status;
}

int main(int argc, char **argv) {
  const char *images = argc > 1 ? argv[1] : NULL;
  const char *path = argc > 2 ? argv[2] : "train_example.safetensors";
  lrn_tensor *data = NULL, *order = NULL;
  lrn_rbm *model = NULL, *copy = NULL;
  lrn_work *work = NULL, *copy_work = NULL;
  lrn_rbm_options options;
  int64_t epoch, epochs, batch, rows;
  double before, after, loaded;
  int status, different = 0;

  if (images != NULL)
    TRY(lrn_idx_load(&data, images));
  else
    TRY(bars_and_stripes(&data));
  rows = lrn_tensor_size(data, 0);

  lrn_rbm_defaults(&options); /* first: later versions may have more options */
  options.n_visible = rows > 0 ? lrn_tensor_numel(data) / rows : 0;
  options.n_hidden = images != NULL ? 128 : 12;
  options.learning_rate = images != NULL ? 0.1 : 0.2;
  options.momentum = 0.5;
  options.seed = 7;
  batch = images != NULL ? 128 : 2;
  epochs = images != NULL ? 5 : 40;

  TRY(lrn_rbm_new(&model, &options));
  TRY(lrn_work_new(&work, model, batch, LRN_WORK_TRAIN));
  TRY(lrn_tensor_new(&order, LRN_I64, 1, &rows, NULL));
  TRY(reconstruction_error(&before, model, data));

  printf("lrn %s: %lld rows, %lld visible and %lld hidden units, %d threads\n",
         lrn_version(), (long long)rows, (long long)options.n_visible,
         (long long)options.n_hidden, lrn_get_threads());
  TRY(lrn_rbm_prepare(model, work, data)); /* visible biases from the data */
  for (epoch = 1; epoch <= epochs; epoch++)
    TRY(train_epoch(model, work, data, order, batch, epoch));

  TRY(reconstruction_error(&after, model, data));
  TRY(save(path, model, work));
  TRY(load(&copy, &copy_work, path));
  TRY(reconstruction_error(&loaded, copy, data));
  different = loaded != after || !(after < before);
  printf("reconstruction error %.4f before, %.4f after training, %.4f from %s: %s\n",
         before, after, loaded, path, different ? "WRONG" : "as it should be");

done:
  if (status != LRN_OK)
    fprintf(stderr, "train: %s (%s)\n", lrn_error_message(), lrn_status_name(status));
  lrn_tensor_free(data);
  lrn_tensor_free(order);
  lrn_work_free(work);
  lrn_work_free(copy_work);
  lrn_rbm_free(model);
  lrn_rbm_free(copy);
  return status == LRN_OK && !different ? EXIT_SUCCESS : EXIT_FAILURE;
}
