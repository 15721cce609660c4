"""Small cases that several tests run."""

SHORT = """\
name: 关中-short
title: {zh: 短例, en: short case}
period:
  start: 2019-01-02
  end: 2019-01-04
  spin_up_hours: 24
domain: {west: 106.5, south: 33.5, east: 110.5, north: 35.5, spacing: 16000}
meteorology: {kind: synthetic, seed: 7, build_up_hours: 12, stagnant_hours: 24}
inputs:
  observations: shipped:observations/january_2019.csv
measures:
  - {type: coal_substitution, city: xian, route: electricity, households: 100000, execution_rate: 0.9}
  - {type: cut, percent: 10, cities: [weinan], sectors: [transport]}
  - type: emergency
    list: shipped:emissions/emergency_list.xlsx
    execution_rate: 0.9
    alerts:
      - {level: red, cities: [xian, xianyang, weinan], start: 2019-01-02 12:00, end: 2019-01-03 18:00}
coal:
  base_year: 2018
  target_year: 2019
  growth: [{percent: 0.7}]
near_field:
  cities: [xian, baoji]
  enterprises: 3
  radius: 10000
  spacing: 2000
  receptors: [{name: 小寨, longitude: 108.94, latitude: 34.2324}]
joint_control: {rank: [weinan, xian], start: 2019-01-02 12:00}
"""
