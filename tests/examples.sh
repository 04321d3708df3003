#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The examples: their numbers, their seeds, and how they fail.
#   examples.sh DIRECTORY    the folder with the programs

cd "${1:?the folder with the programs}" || exit 1
errors=0
fail() {
  echo "$1"
  errors=$((errors + 1))
}

# value OUTPUT NAME: the number in the last line "NAME number".
value() { awk -v name="$2" '$1 == name { v = $2 } END { print v }' <<< "$1"; }

# demand PROGRAM NAME VALUE CONDITION: the condition speaks of v.
demand() {
  awk -v v="$3" "BEGIN { exit !(v != \"\" && v == v + 0 && ($4)) }" || fail "$1: $2 is '$3', not $4"
}

# refuses CODE COMMAND...: exits with the code after one line on stderr and nothing on stdout.
refuses() {
  local code=$1 out status
  shift
  out=$("$@" 2>&1 > /dev/null)
  status=$?
  [[ $status == "$code" ]] || fail "$*: exit status $status, not $code"
  [[ -n $out && $out != *$'\n'* ]] || fail "$*: not one line on stderr: $out"
  [[ -z $("$@" 2> /dev/null) ]] || fail "$*: something on stdout"
}

check() {
  local program=$1 out again other first last
  shift
  out=$("./$program") || fail "$program: exit status $?"
  first=$(awk '/^epoch/ { print $4; exit }' <<< "$out")
  last=$(awk '/^epoch/ { v = $4 } END { print v }' <<< "$out")
  demand "$program" "last loss" "$last" "v < 0.5 * $first"
  while (($#)); do
    demand "$program" "$1" "$(value "$out" "$1")" "$2"
    shift 2
  done
  [[ $(tail -n 1 <<< "$out") == distance_to_optimum\ * ]] || fail "$program: another last line"

  again=$("./$program" --seed 0)
  [[ $out == "$again" ]] || fail "$program: the same seed gave other numbers"
  other=$("./$program" --seed 1)
  [[ $out != "$other" ]] || fail "$program: another seed gave the same numbers"
  demand "$program" "distance at another seed" "$(value "$other" distance_to_optimum)" 'v <= 1e-2'
  # The exact weights depend on the split alone.
  [[ $(awk '/\(bias\)/ { print $3 }' <<< "$out") != $(awk '/\(bias\)/ { print $3 }' <<< "$other") ]] ||
    fail "$program: another seed gave the same split"

  refuses 1 "./$program" --data /nowhere
  refuses 2 "./$program" --no-such-option
  refuses 2 "./$program" --epochs 0
  refuses 2 "./$program" --seed x
  "./$program" --help > /dev/null || fail "$program --help: exit status $?"
}

check linear_regression mse 'v > 0' r2 'v >= 0.40' distance_to_optimum 'v <= 1e-2'
check logistic_regression log_loss 'v > 0' accuracy 'v >= 0.95 && v <= 1' \
  distance_to_optimum 'v <= 1e-2'
out=$(./features) || fail "features: exit status $?"
# The table of scales: condition number and steps.
demand features "condition of raw features" "$(value "$out" raw)" 'v > 1e7'
for name in robust standardized; do
  demand features "condition of $name features" "$(value "$out" "$name")" 'v > 1 && v < 1e3'
  demand features "steps of $name features" "$(awk -v n="$name" '$1 == n { print $3 }' <<< "$out")" 'v < 1e3'
done
[[ $out == *'more than 200000'* ]] || fail "features: descent on raw features converged"
# Clinics chosen at random tell nothing; where they seem to, something has leaked.
r2=$(value "$out" r2_without)
demand features r2_out_of_fold "$(value "$out" r2_out_of_fold)" "v > $r2 - 0.03 && v < $r2 + 0.03"
demand features r2_own_target "$(value "$out" r2_own_target)" "v < $r2 - 0.1"
demand features r2_before_split "$(value "$out" r2_before_split)" "v > $r2 + 0.02"
[[ $(grep -c '^  [A-Za-z]*: ' <<< "$out") == 4 ]] || fail "features: not four leaks were refused"
[[ $out == "$(./features --seed 0)" ]] || fail "features: the same seed gave other numbers"
[[ $out != "$(./features --seed 1)" ]] || fail "features: another seed gave the same numbers"
refuses 1 ./features --data /nowhere
refuses 2 ./features --epochs 0

# shows PROGRAM PICTURES NAME CONDITION...: the numbers, again with --seed 1 where there are seeds,
# which then must be other ones; the pictures; and how it fails.
shows() {
  local program=$1 pictures=$2 out other folder picture
  shift 2
  out=$("./$program") || fail "$program: exit status $?"
  other=
  if [[ $("./$program" --help) == *--seed* ]]; then
    other=$("./$program" --seed 1) || fail "$program --seed 1: exit status $?"
    [[ $out != "$other" ]] || fail "$program: another seed gave the same numbers"
  fi
  while (($#)); do
    demand "$program" "$1" "$(value "$out" "$1")" "$2"
    [[ -z $other ]] || demand "$program --seed 1" "$1" "$(value "$other" "$1")" "$2"
    shift 2
  done
  folder=$(mktemp -d)
  "./$program" --pictures "$folder/new" > /dev/null || fail "$program --pictures: exit status $?"
  for picture in $pictures; do
    [[ -s $(echo "$folder/new/$picture".*) ]] || fail "$program --pictures: no picture $picture"
  done
  rm -r "$folder"
  "./$program" --pictures /dev/null/none > /dev/null 2>&1
  [[ $? == 1 ]] || fail "$program --pictures: a folder that cannot be made was not noticed"
  refuses 2 "./$program" --no-such-option
}

# |f'| = 2 |x + 1| from at most 6 to 1e-5, by 0.98 a step. On the line the error is 6 times 0.6^10.
shows descent 'descent_paths descent_theory' \
  lowest_at 'v > -1.00001 && v < -0.99999' highest_at 'v > -1.00001 && v < -0.99999' \
  steps_of_one 'v > 400 && v < 660' steps_of_two 'v > 400 && v < 660' \
  end_on_line 'v == -0.963720' end_in_plane 'v >= 0 && v < 1e-12' \
  lipschitz_of_bowl 'v > 3.118033 && v < 3.118035' lipschitz_error_of_logistic 'v >= 0 && v < 1e-4' \
  worst_of_lemma 'v > 0.9 && v <= 1.000001' worst_of_bound 'v > 0 && v < 1' \
  error_below 'v >= 0 && v < 1e-6' error_above 'v > 1e6'
# Armijo bounds no slope, Wolfe's weak condition one side, the strong one both.
shows methods 'line_searches methods' \
  not_halved 'v == 0' excess 'v > -1 && v <= 1e-12' armijo_most 'v > 0.9' \
  weak_least 'v < -0.9' weak_most 'v > -1 && v <= 0.9' \
  strong_least 'v < 0 && v >= -0.9' strong_most 'v > -0.9 && v <= 0.9' worst_distance 'v < 1e-4'
shows race 'race_bowl race_valley race_ravine' \
  rules 'v == 19' worst_in_bowl 'v > 0 && v < 1e-3' worst_in_valley 'v > 0 && v < 0.2' \
  worst_in_ravine 'v > 0 && v < 0.01' momentum_gain 'v > 1e3' \
  averaging_against_classical 'v >= 0 && v <= 1e-12'
# 0.999^100, whatever the size of the weight; l2 takes the same from every weight.
shows weight_decay weight_decay \
  decoupled 'v == 0.904792' decoupled_of_ten 'v == 0.904792' decoupled_gain 'v > 9 && v < 10' \
  l2 'v > 0.1 && v < 0.3' l2_of_ten 'v > 0.9 && v < 0.91' l2_gain 'v > 0.99 && v < 1.01' \
  option_against_loss 'v >= 0 && v <= 1e-9' l2_from_least 'v >= 0 && v < 1e-6' \
  decoupled_from_least 'v > 0.05'
# Half way down the wave the rate is half of the largest.
shows schedules schedules \
  schedules 'v == 12' constant_distance 'v > 0.05 && v < 1' best_of_constant 'v > 0 && v < 0.1' \
  warmed_up 'v == 0.2' half_wave 'v == 0.1'
shows constraints constraints \
  largest_angle 'v > -1 && v <= 1e-12' moved_again 'v >= 0 && v <= 1e-12' \
  downhill 'v >= 0 && v <= 1e-7' smallest_x 'v >= 0 && v < 1' smallest_gradient 'v >= -1e-8 && v < 1' \
  largest_product 'v >= 0 && v <= 1e-7' positive 'v >= 3 && v < 6' distance_to_columns 'v >= 0 && v <= 1e-8'
shows two_wells 'two_wells noisy_descent' \
  f_left 'v == -0.253791' f_right 'v == 0.245963' f_between 'v == 1.007828' \
  residual 'v >= 0 && v <= 1e-10' in_the_wrong_well 'v == 0' constant_of_theory 'v > 0.8 && v < 1.2' \
  small_of_theory 'v > 0.75 && v < 1.25' decayed_of_constant 'v > 0 && v < 0.1'
shows batches batch_paths \
  line_by_all 'v > 0 && v < 0.05' line_by_some 'v > 0 && v < 1e-3' line_by_one 'v > 0 && v < 0.01' \
  lms_difference 'v >= 0 && v <= 1e-12' diabetes_by_all 'v > 0 && v < 0.01' \
  diabetes_by_some 'v > 0 && v < 0.03' diabetes_by_one 'v > 0 && v < 0.1'
shows batch_size batch_noise noise_off_theory 'v > 0 && v < 0.1' gap_of_two 'v > 0.1' gap_of_all 'v < 0.1'
shows regression_losses 'regression_losses regression_synthetic' \
  off_formula 'v >= 0 && v <= 1e-14' distance_to_optimum 'v <= 1e-5' distance_by_mean 'v > 1e-3' \
  matched_apart 'v >= 0 && v <= 1e-9' distance_by_root 'v > 0.01' distance_by_falling_root 'v < 1e-3' \
  mse 'v > 0.07 && v < 0.11' distance_to_truth 'v > 0 && v < 0.1' \
  distance_to_exact 'v >= 0 && v <= 1e-12'
shows normal_equations 'normal_equations_time normal_equations_error' \
  apart 'v >= 0 && v <= 1e-10' qr_of_normal 'v > 1' qr_error_of_condition 'v > 0 && v < 10' \
  normal_error_of_qr 'v > 1e3' normal_against_qr 'v >= 0 && v <= 1e-12' \
  descent_against_qr 'v >= 0 && v <= 1e-6'

out=$(./practice) || fail "practice: exit status $?"
demand practice learned_one_batch "$(value "$out" learned_one_batch)" 'v == 1'
demand practice learning_rate "$(value "$out" learning_rate)" 'v > 1e-3 && v < 0.2'
demand practice accuracy "$(value "$out" accuracy)" 'v >= 0.94'
demand practice same_bits "$(value "$out" same_bits)" 'v == 1'
[[ $out == *'a run was killed after step 57'*'goes on after step 55'* ]] ||
  fail "practice: the run was not killed, or did not go on"
awk '/^ +[0-9]+ / { n++; if ($7 > 0.3001) exit 1 } END { exit n < 10 }' <<< "$out" ||
  fail "practice: no table of epochs, or gradients above the limit"
pictures=$(mktemp -d)
./practice --pictures "$pictures" > /dev/null || fail "practice --pictures: exit status $?"
[[ -s $(echo "$pictures"/training.[sc]*g) && -s $(echo "$pictures"/learning_rate.*) ]] ||
  [[ -s $pictures/training.svg.csv && -s $pictures/learning_rate.csv ]] ||
  fail "practice --pictures: no pictures"
[[ $(head -n 1 "$pictures/training.csv") == epoch,steps,loss,validation,accuracy,* ]] ||
  fail "practice: no history"
rm -rf "$pictures"
refuses 1 ./practice --data /nowhere
refuses 2 ./practice --epochs 0
out=$(./lasso) || fail "lasso: exit status $?"
# The first measurements in the order of Efron et al. (2004), and the rest as they found it.
[[ $out == *"order bmi s5 bp s3 sex s6 s1 s4 age s2"* ]] || fail "lasso: another order"
demand lasso largest_strength "$(value "$out" largest_strength)" 'v > 45.16 && v < 45.1601'
demand lasso worst_gap "$(value "$out" worst_gap)" 'v >= 0 && v <= 1e-8'
fista=$(value "$out" fista)
demand lasso fista "$fista" 'v > 10 && v < 500'
demand lasso ista "$(value "$out" ista)" "v > 4 * $fista"
demand lasso coordinate_descent "$(value "$out" coordinate_descent)" 'v > 10 && v < 500'
demand lasso and_newton_steps "$(value "$out" and_newton_steps)" 'v >= 1 && v < 30'
demand lasso distance "$(value "$out" distance)" 'v <= 1e-6'
[[ $out == "$(./lasso)" ]] || fail "lasso: another run gave other numbers"
refuses 1 ./lasso --data /nowhere
refuses 2 ./lasso --no-such-option
pictures=$(mktemp -d)
./lasso --pictures "$pictures" > /dev/null || fail "lasso --pictures: exit status $?"
[[ -s $(echo "$pictures"/path.*) && -s $(echo "$pictures"/gaps.*) ]] ||
  fail "lasso --pictures: no pictures"
rm -rf "$pictures"
# Penalties beat plain squares on many features, the lasso leaves most of them out, and wild targets
# spoil every loss but that of Huber.
out=$(./estimators) || fail "estimators: exit status $?"
squares=$(value "$out" squares_rmse)
for name in ridge lasso elastic_net huber; do
  demand estimators "${name}_rmse" "$(value "$out" "${name}_rmse")" "v > 50 && v < $squares - 5"
  demand estimators "${name}_r2" "$(value "$out" "${name}_r2")" 'v > 0.45 && v < 0.55'
done
for name in squares ridge lasso elastic_net; do
  demand estimators "${name}_r2_wild" "$(value "$out" "${name}_r2_wild")" 'v < -1'
done
demand estimators huber_r2_wild "$(value "$out" huber_r2_wild)" 'v > 0.35'
demand estimators lasso_zeros "$(value "$out" lasso_zeros)" 'v > 35 && v < 55'
demand estimators ridge_zeros "$(value "$out" ridge_zeros)" 'v == 0'
[[ $(grep -c '^warning: some features depend on others' <<< "$out") == 1 ]] ||
  fail "estimators: no warning that the square of the sex depends on the sex"
demand estimators logistic_auc "$(value "$out" logistic_auc)" 'v > 0.985 && v < 1'
demand estimators svm_auc "$(value "$out" svm_auc)" 'v > 0.985 && v < 1'
demand estimators logistic_accuracy "$(value "$out" logistic_accuracy)" 'v > 0.95 && v < 1'
demand estimators svm_accuracy "$(value "$out" svm_accuracy)" 'v > 0.95 && v < 1'
demand estimators logistic_calibration_error "$(value "$out" logistic_calibration_error)" 'v >= 0 && v < 0.05'
demand estimators iris_accuracy "$(value "$out" iris_accuracy)" 'v > 0.94 && v < 1'
demand estimators petals_training_accuracy "$(value "$out" petals_training_accuracy)" 'v > 0.94 && v < 1'
[[ $out == "$(./estimators --seed 0)" ]] || fail "estimators: the same seed gave other numbers"
[[ $out != "$(./estimators --seed 1)" ]] || fail "estimators: another seed gave the same numbers"
refuses 1 ./estimators --data /nowhere
refuses 2 ./estimators --no-such-option
pictures=$(mktemp -d)
./estimators --pictures "$pictures" > /dev/null || fail "estimators --pictures: exit status $?"
[[ $(find "$pictures" -size +0 | grep -cE '/(coefficients|tumours|iris)\.(svg|csv)$') == 3 ]] ||
  fail "estimators --pictures: no pictures"
rm -r "$pictures"
out=$(./digits) || fail "digits: exit status $?"
demand digits softmax_accuracy "$(value "$out" softmax_accuracy)" 'v > 0.94 && v < 0.985'
demand digits network_accuracy "$(value "$out" network_accuracy)" 'v >= 0.97 && v < 1'
demand digits convolutions_accuracy "$(value "$out" convolutions_accuracy)" 'v >= 0.97 && v < 1'
[[ $out == *'Conv2d       second  (1, 32, 4, 4)       4,640'* ]] || fail "digits: another summary"
refuses 1 ./digits --data /nowhere

out=$(./depth) || fail "depth: exit status $?"
# A normal start of deviation s multiplies by s sqrt(64 / 2) a layer: 1.7 and 0.28, 30 times over.
demand depth exploding_values "$(value "$out" exploding_values)" 'v > 1e5 && v < 1e9'
demand depth exploding_gradient "$(value "$out" exploding_gradient)" 'v > 1e5 && v < 1e9'
demand depth vanishing_values "$(value "$out" vanishing_values)" 'v > 0 && v < 1e-14'
demand depth vanishing_gradient "$(value "$out" vanishing_gradient)" 'v > 0 && v < 1e-14'
for name in he orthogonal; do
  demand depth "${name}_values" "$(value "$out" "${name}_values")" 'v > 0.1 && v < 10'
  demand depth "${name}_gradient" "$(value "$out" "${name}_gradient")" 'v > 0.1 && v < 10'
done
demand depth plain_loss "$(value "$out" plain_loss)" 'v > 0.2'
demand depth normalised_loss "$(value "$out" normalised_loss)" "v < $(value "$out" plain_loss) / 2"
demand depth residual_loss "$(value "$out" residual_loss)" 'v < 0.05'

out=$(./sequences) || fail "sequences: exit status $?"
# That of always 1 is 1/6.
demand sequences lstm_error "$(value "$out" lstm_error)" 'v > 0 && v < 0.1'
demand sequences gru_error "$(value "$out" gru_error)" 'v > 0 && v < 0.02'
demand sequences plain_error "$(value "$out" plain_error)" "v > 2 * $(value "$out" gru_error)"
demand sequences last_loss "$(value "$out" last_loss)" "v < $(value "$out" first_loss) / 20"
demand sequences repeated_right "$(value "$out" repeated_right)" 'v > 0.97'

out=$(./debugging) || fail "debugging: exit status $?"
for name in gradients_right cut_is_found has_learned nan_is_named; do
  demand debugging "$name" "$(value "$out" "$name")" 'v == 1'
done
demand debugging cut_has_learned "$(value "$out" cut_has_learned)" 'v == 0'
[[ $out == *'with a cut: in.'* ]] || fail "debugging: the cut weight is not named"

pictures=$(mktemp -d)
for program in digits depth sequences; do
  "./$program" --pictures "$pictures" > /dev/null || fail "$program --pictures: exit status $?"
done
[[ $(find "$pictures" -size +0 | grep -cE '/(digits|depth|sequences)_[a-z]+\.(svg|csv)$') == 6 ]] ||
  fail "digits, depth, sequences --pictures: no pictures"
rm -r "$pictures"

out=$(./derivatives) || fail "derivatives: exit status $?"
demand derivatives slope "$(value "$out" slope)" 'v == 4'
for name in chain vjp; do
  # 2 t sin t + t^2 cos t at 0.7
  demand derivatives "$name" "$(value "$out" "$name")" 'v > 1.2766774 && v < 1.2766775'
done
# Directions are tried degree by degree, and half of one is 0.0087.
demand derivatives angle_error "$(value "$out" angle_error)" 'v <= 0.0088'
demand derivatives angle_error_against "$(value "$out" angle_error_against)" 'v <= 0.0088'
demand derivatives slope_sum "$(value "$out" slope_sum)" 'v > -1e-8 && v < 1e-8'
[[ $out == *'smallest slope -'* ]] || fail "derivatives: no slope against the gradient"
demand derivatives order "$(value "$out" order)" 'v > 2.9 && v < 3.1'
demand derivatives best "$(value "$out" best)" 'v >= 0 && v < 0.01'
[[ $(value "$out" check) == passed ]] || fail "derivatives: the check did not pass"
demand derivatives dloss/dw "$(value "$out" dloss/dw)" 'v == -1'
[[ $out == *'eigenvalues 0.881966 3.118034: convex'* ]] || fail "derivatives: other eigenvalues"
folder=$(mktemp -d)
./derivatives --out "$folder" > /dev/null || fail "derivatives --out: exit status $?"
[[ $(wc -l < "$folder/directions.csv") == 361 && $(wc -l < "$folder/gradient_field.csv") == 442 ]] ||
  fail "derivatives: CSV files of other lengths"
awk -F , 'NF != 2 { exit 1 }' "$folder/directions.csv" &&
  awk -F , 'NF != 4 { exit 1 }' "$folder/gradient_field.csv" || fail "derivatives: other columns"
rm -r "$folder"
# Files cannot be made there, and a full disk is seen as well.
refuses 1 ./derivatives --out /proc
full=$(mktemp -d)
ln -s /dev/full "$full/gradient_field.csv"
./derivatives --out "$full" > /dev/null 2>&1
[[ $? == 1 ]] || fail "derivatives --out: a full disk was not noticed"
rm -r "$full"
refuses 2 ./derivatives --out /nowhere

# A service: bad requests are refused, with the reason, and the shift is seen in its first window.
out=$(./service) || fail "service: exit status $?"
demand service accuracy "$(value "$out" accuracy)" 'v >= 0.9 && v <= 1'
demand service answered "$(value "$out" answered)" 'v == 3960'
demand service refused "$(value "$out" refused)" 'v == 40'
demand service alarms "$(value "$out" alarms)" 'v == 1'
demand service first_alarm "$(value "$out" first_alarm)" 'v > 3500 && v < 3600'
for reason in 'the value "rough" of mean_texture is no number' 'there is no feature "weight"' \
  '"mean_radius" of row 0 is infinite' '"mean_texture" of row 0 is missing'; do
  [[ $(grep -cF "$reason" <<< "$out") == 1 ]] || fail "service: the reason is not there: $reason"
done
grep -qE '^mean_radius .*ALARM$' <<< "$out" || fail "service: the radius has no alarm"
[[ $(grep -c 'ALARM$' <<< "$out") == 2 ]] || fail "service: another feature has an alarm"
[[ $(./service --seed 0) == "$out" ]] || fail "service: the same seed gave other numbers"
folder=$(mktemp -d)
[[ $(TMPDIR=$folder ./service --seed 1) != "$out" ]] ||
  fail "service: another seed gave the same numbers"
[[ -z $(ls -A "$folder") ]] || fail "service: leaves files behind"
rm -r "$folder"
refuses 1 ./service --data /nowhere
refuses 2 ./service --seed x

# A file of twice the memory: each row once an epoch, in a new order, and the file read about once.
folder=$(mktemp -d)
small=(env "TMPDIR=$folder" ./larger_than_memory --size 192 --memory 96)
out=$("${small[@]}") || fail "larger_than_memory: exit status $?"
[[ $(grep -c 'every row exactly once' <<< "$out") == 2 ]] || fail "larger_than_memory: rows not once"
awk '/^epoch/ { if ($9 > 196 || $(NF - 1) > 1.001) exit 1; n++ } END { exit n != 2 }' <<< "$out" ||
  fail "larger_than_memory: the same order again, or the file read more than once"
demand larger_than_memory batch_distance_to_truth "$(value "$out" batch_distance_to_truth)" 'v <= 3e-3'
demand larger_than_memory block_difference "$(value "$out" block_difference)" 'v >= 0 && v <= 1e-6'
demand larger_than_memory full_batch_distance_to_truth \
  "$(value "$out" full_batch_distance_to_truth)" 'v <= 1e-3'
# A sanitizer takes memory of its own.
if [[ $out == *'limit: 96 MB'* ]]; then
  demand larger_than_memory peak_resident_mb "$(value "$out" peak_resident_mb)" 'v > 24 && v <= 96'
fi
[[ $("${small[@]}" | grep -v peak) == "$(grep -v peak <<< "$out")" ]] ||
  fail "larger_than_memory: the same seed gave other numbers"
[[ $("${small[@]}" --seed 1 | grep -v peak) != "$(grep -v peak <<< "$out")" ]] ||
  fail "larger_than_memory: another seed gave the same numbers"
[[ -z $(ls -A "$folder") ]] || fail "larger_than_memory: leaves files behind"
rm -r "$folder"
refuses 1 env TMPDIR=/proc ./larger_than_memory
refuses 2 ./larger_than_memory --size 0
refuses 2 ./larger_than_memory --memory 95

((errors == 0)) || { echo "$errors errors"; exit 1; }
echo "the examples are right"
